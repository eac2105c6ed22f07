package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
)

// checkRegion refuses what cannot be the name of a region.
func checkRegion(cmd *cobra.Command, region string) error {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if strings.Trim(region, letters) != "" || len(region) > 63 {
		return badValue(cmd, "aws-region", errors.New("a region has small letters, digits and hyphens only"))
	}
	return nil
}
