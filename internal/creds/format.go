package creds

import "github.com/aws/aws-sdk-go-v2/aws"

// Formats are what Format takes: "process" is JSON as credential_process is to print it, "json" the same on
// several lines, and the others are variables for a shell.
func Formats() []string {
	return []string{"process", "json", "env", "env-no-export", "fish", "powershell", "windows-cmd"}
}

// Format returns credentials in one of the Formats, with a region unless it is empty or has no place.
func Format(format string, c aws.Credentials, region string) ([]byte, error) {
	switch format {
	case "process":
		return Process(c)
	case "json":
		return JSON(c)
	}
	vars, err := Variables(c, region)
	if err != nil {
		return nil, err
	}
	return Shell(format, vars)
}

// Variables are those that give a program credentials, and a region unless it is empty.
func Variables(c aws.Credentials, region string) ([]Variable, error) {
	vars, err := Environment(c)
	if err != nil {
		return nil, err
	}
	return append(vars, Region(region)...), nil
}
