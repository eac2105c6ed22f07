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
	signal.Ignore(syscall.SIGPIPE) // a closed pipe is then an error of the write, not the silent end of the process
	// Other signals end it at any point: files are written atomically.
	os.Exit(run(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
