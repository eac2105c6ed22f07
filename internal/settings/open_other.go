//go:build !unix

package settings

func isNotDirectory(error) bool { return false }
