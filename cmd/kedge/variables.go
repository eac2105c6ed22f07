package main

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"

	"kedge/internal/creds"
)

// retrieve gets credentials for a command that wants them once. SIGINT and SIGTERM end it.
func (f *roleFlags) retrieve(ctx context.Context, h host) (aws.Credentials, error) {
	r, err := f.open(ctx, h, once)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer r.Close()
	ctx, stop := interruptible(ctx)
	defer stop()
	return r.Retrieve(ctx)
}

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
