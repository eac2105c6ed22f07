package enrollclient

import (
	"context"
	"errors"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
)

// Unenrolling is a host whose certificate is to be revoked and removed.
type Unenrolling struct {
	Connection
	Dir  string
	Keys func(hostdir.Record) (Keys, error)
}

// Unenrolled is what was removed.
type Unenrolled struct {
	Serial string // in hexadecimal
	Key    string // names the key in hardware, which stays there; empty: there is none
}

// Unenroll revokes the certificate of a host at the server, then removes the folder's files. After an
// error nothing is removed; after an interruption the next run goes on.
func Unenroll(ctx context.Context, u Unenrolling) (*Unenrolled, error) {
	f, err := hostdir.Open(ctx, u.Dir, lockTimeout)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	f.Watch(u.step)
	if serial := hostdir.ReadState(u.Dir).Removing; serial != "" {
		return &Unenrolled{Serial: serial}, f.Remove()
	}
	pair, err := f.Current()
	if err != nil {
		return nil, err
	}
	if err := u.revoke(ctx, pair); err != nil {
		return nil, err
	}
	access, _ := f.Access()
	if err := f.WriteState(hostdir.State{Removing: pair.Record.Serial}, access); err != nil {
		return nil, err
	}
	return &Unenrolled{Serial: pair.Record.Serial, Key: pair.Record.Key}, f.Remove()
}

// revoke asks the server to revoke the certificate of a pair. A refusal that ends its use counts as a
// revocation.
func (u *Unenrolling) revoke(ctx context.Context, pair *hostdir.Pair) error {
	keys, err := u.Keys(pair.Record)
	if err != nil {
		return err
	}
	h, err := u.holder(ctx, pair, keys)
	if err != nil {
		return err
	}
	defer h.key.Close()
	_, err = h.prove(ctx, enrollapi.PathUnenroll, nil, func(p enrollapi.Proof) any { return enrollapi.UnenrollRequest{Proof: p} }, &enrollapi.Unenrolled{})
	if refusal, ok := errors.AsType[*enrollapi.Error](err); ok {
		switch refusal.Code {
		case enrollapi.Revoked, enrollapi.Ended, enrollapi.BeyondGrace:
			return nil
		}
	}
	return err
}
