package enrollclient

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
	"kedge/signer"
)

// Renewing is a host whose certificate is to be renewed when it is due.
type Renewing struct {
	Connection
	Dir   string
	Force bool // renew now
	// AcceptSettings takes AWS settings of another account or partition, which the operator of the host
	// has seen.
	AcceptSettings bool
	// Keys specifies how the key of a record is opened, and the next one made.
	Keys func(hostdir.Record) (Keys, error)
	// Hooks are the commands to run, by RunHook, once for each certificate that came into use.
	Hooks   []string
	RunHook func(ctx context.Context, line string, pair *hostdir.Pair) error
}

// Renewed is what came of it.
type Renewed struct {
	Pair    *hostdir.Pair // the one in use
	Done    bool          // it is new
	Waiting bool          // it is due, and the last try failed a moment ago: see State
	State   hostdir.State
	// Offered are AWS settings of another account or partition that the server named, and that were not
	// taken; nil: there are none.
	Offered *enrollapi.AWS
}

// Idle returns why there is nothing to do: the certificate is not due, or the last try failed a moment
// ago, and every command has run for it. It is nil if there is something to do. It changes nothing, and
// waits for nobody.
func Idle(r Renewing) (*Renewed, error) {
	state := hostdir.ReadState(r.Dir)
	if state.Removing != "" {
		return nil, &RemovingError{Dir: r.Dir}
	}
	pair, err := hostdir.Current(r.Dir)
	if err != nil {
		return nil, err
	}
	if serial := pair.Record.Serial; len(owed(r.Hooks, state, serial)) > 0 || !hostdir.Marked(r.Dir, serial) {
		return nil, nil
	}
	return r.resting(pair, state), nil
}

// resting returns why the server is not to be asked, or nil.
func (r *Renewing) resting(pair *hostdir.Pair, state hostdir.State) *Renewed {
	now := r.Now()
	switch {
	case r.Force:
	case !isDue(pair.Record, now):
		return &Renewed{Pair: pair, State: state}
	case isWaiting(state, now):
		return &Renewed{Pair: pair, State: state, Waiting: true}
	}
	return nil
}

// Renew renews the certificate in a folder if it is due. The new key is on disk before the first
// request, and what the server sends is checked before it comes into use; until then, and after any
// error, the old pair is current. Then the commands run that have not run for the certificate in use: if
// one fails, which changes nothing else, the error is a *HookError, and Renewed is returned as well.
func Renew(ctx context.Context, r Renewing) (*Renewed, error) {
	f, err := hostdir.Open(ctx, r.Dir, lockTimeout)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	f.Watch(r.step)
	if idle, err := Idle(r); idle != nil || err != nil {
		return idle, err
	}
	pair, err := f.Current()
	if err != nil {
		return nil, err
	}
	state := hostdir.ReadState(r.Dir)
	got := r.resting(pair, state)
	if got == nil {
		if got, err = r.try(ctx, f, pair, state); err != nil {
			return nil, err
		}
	}
	return got, r.follow(ctx, f, got.Pair)
}

// try renews, and writes down what came of it.
func (r *Renewing) try(ctx context.Context, f *hostdir.Folder, pair *hostdir.Pair, before hostdir.State) (*Renewed, error) {
	access, _ := f.Access()
	state := tried(before, r.Now(), randomly())
	if err := f.WriteState(state, access); err != nil {
		return nil, err
	}
	got, err := r.replace(ctx, f, pair, access)
	switch {
	case err == nil:
		return got, f.WriteState(hostdir.State{Hooks: before.Hooks}, access)
	case ctx.Err() != nil: // the process is to end, which is no fault of the server
		state = before
	default:
		state = failed(state, err, retryAfter(err))
		state.Ended = endedBy(err, pair, state)
	}
	return nil, errors.Join(err, f.WriteState(state, access))
}

// endedBy returns the end of a certificate after a try that failed. A try without an answer changes nothing about it.
func endedBy(err error, pair *hostdir.Pair, state hostdir.State) *hostdir.Ended {
	refusal, ok := errors.AsType[*enrollapi.Error](err)
	switch {
	case !ok:
		return state.Ended
	case refusal.Code.EndsCertificate():
		return &hostdir.Ended{Serial: pair.Record.Serial, At: state.LastTry, Reason: err.Error()}
	}
	return nil
}

// replace gets the next pair and makes it the current one.
func (r *Renewing) replace(ctx context.Context, f *hostdir.Folder, pair *hostdir.Pair, access hostdir.Access) (*Renewed, error) {
	next, err := r.next(ctx, f, pair)
	if err != nil {
		return nil, err
	}
	offered := r.keepSettings(&next.Record, pair.Record)
	return &Renewed{Pair: next, Done: true, Offered: offered}, f.Switch(*next, access)
}

// retryAfter is how long the server wants to be left alone.
func retryAfter(err error) time.Duration {
	refusal, ok := errors.AsType[*enrollapi.Error](err)
	if !ok {
		return 0
	}
	return time.Duration(min(max(refusal.RetryAfter, 0), int(maxRetryAfter/time.Second))) * time.Second
}

// keepSettings keeps the AWS settings of the pair before where the server names none, or an account that
// the operator of the host did not enroll for. It returns the latter.
func (r *Renewing) keepSettings(next *hostdir.Record, before hostdir.Record) (offered *enrollapi.AWS) {
	switch {
	case before.AWS == nil:
	case next.AWS == nil:
		next.AWS = before.AWS
	case !r.AcceptSettings && !isSameAccount(next.AWS, before.AWS):
		offered, next.AWS = next.AWS, before.AWS
	}
	return offered
}

// next gets the pair that follows.
func (r *Renewing) next(ctx context.Context, f *hostdir.Folder, pair *hostdir.Pair) (*hostdir.Pair, error) {
	keys, err := r.Keys(pair.Record)
	if err != nil {
		return nil, err
	}
	h, err := r.holder(ctx, pair, keys)
	if err != nil {
		return nil, err
	}
	defer h.key.Close()
	key, keyFile := h.key, pair.KeyFile
	if keys.isReplaced() {
		pending := f.Renewal(pair.Leaf)
		if key, _, err = keys.pending(ctx, pending); err != nil {
			return nil, err
		}
		defer key.Close()
		keyFile = pending.KeyFile()
	}
	next, err := h.renew(ctx, key)
	if err != nil {
		return nil, err
	}
	next.KeyFile = keyFile
	next.Record.Server, next.Record.SystemRoots, next.Record.Token = pair.Record.Server, pair.Record.SystemRoots, pair.Record.Token
	keys.note(&next.Record)
	return next, nil
}

// holder is a host that shows that it has the key of its certificate.
type holder struct {
	*client
	pair *hostdir.Pair
	pin  Pin
	key  Key
	keys Keys
}

// holder opens the key of a pair. The holder's key must be closed.
func (c Connection) holder(ctx context.Context, pair *hostdir.Pair, keys Keys) (*holder, error) {
	h := &holder{pair: pair, keys: keys}
	hash, err := hex.DecodeString(pair.Record.CAKey)
	if err != nil || len(hash) != len(h.pin) {
		return nil, &hostdir.FolderError{Path: pair.Record.CAKey, Problem: "is not the hash of a key"}
	}
	copy(h.pin[:], hash)
	if h.client, err = c.newClient(pair.Record.Server, h.pin, pair.Record.SystemRoots); err != nil {
		return nil, err
	}
	name := pair.KeyFile
	if name == "" {
		name = pair.Record.Key
	}
	h.key, err = keys.Open(ctx, name)
	return h, err
}

// renew asks for a certificate for a key, which may be the same.
func (h *holder) renew(ctx context.Context, key Key) (*hostdir.Pair, error) {
	request, err := nextRequest(h.pair.Leaf, key)
	if err != nil {
		return nil, err
	}
	var answer enrollapi.Answer
	date, err := h.prove(ctx, enrollapi.PathRenew, request, func(p enrollapi.Proof) any {
		return enrollapi.RenewRequest{Proof: p, Request: request, KeyPlace: h.keys.Place, Version: h.Version}
	}, &answer)
	if err != nil {
		return nil, err
	}
	want := expected{server: h.name, key: key, pin: h.pin, known: h.pair.Bundle, name: h.pair.Leaf.Subject.CommonName, now: h.Now(), date: date}
	return want.pair(&answer)
}

// prove sends a message with a signature of the old key. If the server's clock differs too much, the
// host signs once more, with the time of the server.
func (h *holder) prove(ctx context.Context, path string, body []byte, message func(enrollapi.Proof) any, into any) (time.Time, error) {
	at := h.Now()
	for first := true; ; first = false {
		proof, err := enrollapi.Prove(signer.Possession{Path: path, Audience: h.pin, Leaf: h.pair.Leaf, Body: body, At: at}, h.key)
		if err != nil {
			return time.Time{}, err
		}
		date, err := h.post(ctx, path, message(proof), into)
		refusal, ok := errors.AsType[*enrollapi.Error](err)
		if !first || !ok || refusal.Code != enrollapi.Clock || refusal.Date.IsZero() {
			return date, err
		}
		at = refusal.Date
	}
}
