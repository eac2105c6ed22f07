package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// CredentialsFile returns where the AWS SDKs look for keys: AWS_SHARED_CREDENTIALS_FILE, else
// ~/.aws/credentials.
func CredentialsFile() (string, error) { return awsFile("AWS_SHARED_CREDENTIALS_FILE", "credentials") }

// ProfilesFile returns where the AWS SDKs look for profiles: AWS_CONFIG_FILE, else ~/.aws/config.
func ProfilesFile() (string, error) { return awsFile("AWS_CONFIG_FILE", "config") }

func awsFile(variable, name string) (string, error) {
	path := os.Getenv(variable)
	if strings.HasPrefix(path, "~") || strings.Contains(path, "$") {
		return "", fmt.Errorf("%s is %q: the AWS CLI expands that, other SDKs do not; set it to an absolute path", variable, path)
	}
	if path != "" {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no home folder to find .aws/%s in, and %s is not set: %w", name, variable, err)
	}
	return filepath.Join(home, ".aws", name), nil
}

// KeyVariables returns the names of the environment variables that are set and that the AWS SDKs
// prefer to what is in a profile.
func KeyVariables() []string {
	var set []string
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		if os.Getenv(name) != "" {
			set = append(set, name)
		}
	}
	return set
}
