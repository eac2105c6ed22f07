// Command kedge-emulator is IAM Roles Anywhere and STS on loopback.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"kedge/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
