//go:build !unix

package hostdir

func syncFolder(string) error { return nil }
