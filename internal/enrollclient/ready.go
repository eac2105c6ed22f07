package enrollclient

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
)

// Ready asks the server of an identity whether it can issue, and sends nothing else. The error is an
// *UnreachableError, an *UntrustedError or an *AnswerError.
func (c Connection) Ready(ctx context.Context, r hostdir.Record) error {
	var pin Pin
	hash, err := hex.DecodeString(r.CAKey)
	if err != nil || len(hash) != len(pin) {
		return &hostdir.FolderError{Path: r.CAKey, Problem: "is not the hash of a key"}
	}
	copy(pin[:], hash)
	server, err := c.newClient(r.Server, pin, r.SystemRoots)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Server+enrollapi.PathReady, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "kedge/"+c.Version)
	response, err := server.http.Do(request)
	if err != nil {
		err = server.unanswered(context.WithoutCancel(ctx), err)
		if ctx.Err() != nil {
			err = &UnreachableError{Server: server.name, Err: context.DeadlineExceeded}
		}
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, enrollapi.MaxBody))
	if response.StatusCode != http.StatusOK {
		return &AnswerError{Server: server.name, Status: response.StatusCode, Problem: fmt.Sprintf("%q", http.StatusText(response.StatusCode))}
	}
	return nil
}
