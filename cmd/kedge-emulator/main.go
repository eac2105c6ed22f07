// Command kedge-emulator is IAM Roles Anywhere and STS on loopback.
package main

import (
	"context"
	"os"

	"kedge/internal/cli"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
