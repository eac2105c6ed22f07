//go:build !unix

package credfile

const noWait = 0
