// Command kedge gets temporary AWS credentials with an X.509 certificate, through IAM Roles
// Anywhere.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kedge/internal/cli"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error to report, not a silent death
	os.Exit(run(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
