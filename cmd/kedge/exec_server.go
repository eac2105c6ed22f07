package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/config"
	"kedge/internal/creds"
	"kedge/internal/process"
	"kedge/internal/refresh"
	"kedge/internal/role"
	"kedge/internal/serve"
)

// endpointName is the name under which the endpoint has its one role.
const endpointName = "exec"

// runBeside runs the command as a child, with an endpoint that has credentials as long as it runs,
// and returns how it ended.
func (o *execOptions) runBeside(ctx context.Context, path string) (process.Status, error) {
	r, err := role.Open(ctx, o.role, o.forRole(o.debug), role.Long)
	if err != nil {
		return process.Status{}, err
	}
	defer r.Close()
	first, err := o.first(ctx, r)
	if err != nil {
		return process.Status{}, err
	}
	listener, err := listenOnLoopback()
	if err != nil {
		return process.Status{}, err
	}
	token, log := rand.Text(), slog.New(warnHandler{o.host})
	credentials := refresh.New(withFirst(first, r), refresh.Options{Now: time.Now, Timeout: o.said.Timeout, Log: log})
	endpoint, err := serve.New(serve.Config{
		Roles:         []serve.Role{{Name: endpointName, ARN: o.said.FinalRole(), Credentials: credentials}},
		Authorization: token, NoMetadata: true, Log: log,
	})
	if err != nil {
		return process.Status{}, errors.Join(err, listener.Close())
	}
	working, end := context.WithCancel(ctx)
	var workers sync.WaitGroup
	workers.Go(func() { _ = credentials.Run(working) }) // an error is that of a second call
	workers.Go(func() {
		if err := endpoint.Serve(working, 0, listener); err != nil {
			log.Warn("the endpoint ended: the command gets no more credentials", "error", err)
		}
	})
	status, err := process.Run(o.process(path, o.endpointVariables(listener.Addr(), token)))
	end()
	workers.Wait()
	return status, err
}

// endpointVariables lead the command to the endpoint: past a proxy, if there is one.
func (o *execOptions) endpointVariables(address net.Addr, token string) []creds.Variable {
	all := []creds.Variable{
		{Name: "AWS_CONTAINER_CREDENTIALS_FULL_URI", Value: "http://" + address.String() + "/v1/credentials/" + endpointName},
		{Name: "AWS_CONTAINER_AUTHORIZATION_TOKEN", Value: token},
	}
	if tcp, ok := address.(*net.TCPAddr); ok {
		for _, v := range config.NoProxyFor(tcp.IP.String()) {
			if trace := o.trace(o.debug); trace != nil {
				trace("for the command: %s=%s", v[0], v[1])
			}
			all = append(all, creds.Variable{Name: v[0], Value: v[1]})
		}
	}
	return append(all, creds.Region(o.awsRegion)...)
}

// first gets credentials: without any the command is not started.
func (o *execOptions) first(ctx context.Context, r *role.Role) (aws.Credentials, error) {
	ctx, stop := interruptible(ctx)
	defer stop()
	return r.Retrieve(ctx)
}

// withFirst gives first to who asks first, and then what p gives.
func withFirst(first aws.Credentials, p aws.CredentialsProvider) aws.CredentialsProvider {
	var given atomic.Bool
	return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
		if given.CompareAndSwap(false, true) {
			return first, nil
		}
		return p.Retrieve(ctx)
	})
}

// listenOnLoopback takes a free port. Hosts without IPv4 have the other loopback address.
func listenOnLoopback() (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		return listener, nil
	}
	listener, err6 := net.Listen("tcp", "[::1]:0")
	if err6 != nil {
		return nil, fmt.Errorf("open a port for the endpoint: %w", err)
	}
	return listener, nil
}
