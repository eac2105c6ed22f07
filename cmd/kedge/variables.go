package main

import (
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"kedge/internal/creds"
)

// credentialVariables are the variables that give a program c, and a region unless it is empty.
func credentialVariables(c aws.Credentials, region string) ([]creds.Variable, error) {
	vars, err := creds.Environment(c)
	if err != nil {
		return nil, err
	}
	return append(vars, regionVariables(region)...), nil
}

func regionVariables(region string) []creds.Variable {
	if region == "" {
		return nil
	}
	return creds.Region(region)
}

// checkRegion refuses what cannot be the name of a region.
func checkRegion(cmd *cobra.Command, region string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if strings.Trim(region, letters) != "" || len(region) > 63 {
		return badValue(cmd, "aws-region", errors.New("a region has small letters, digits and hyphens only"))
	}
	return nil
}
