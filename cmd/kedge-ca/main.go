// Command kedge-ca is a mini-CA made for IAM Roles Anywhere, run by an operator.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kedge/internal/cli"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is an error to report where something is lost, and no silent death
	// Other signals end it, wherever it is: a file is there whole or not at all.
	os.Exit(run(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
