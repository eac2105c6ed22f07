package enrollclient

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"kedge/internal/dn"
	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
)

// lockTimeout bounds the wait for another process that works on the same folder.
const lockTimeout = 5 * time.Second

// startedPrefix begins the name of the folder of an enrollment whose host has no name yet; the id of
// the token follows.
const startedPrefix = ".enroll-"

// Enrolling is a host that is to get its first certificate.
type Enrolling struct {
	Connection
	Token enrollapi.Token
	// Approval takes the place of Token, of which only URL, CAKey and SystemRoots count then. nil: none.
	Approval *Approval
	// Name is the common name to ask for. Empty: the server chooses it, if the token leaves no choice; an
	// approval is for a name.
	Name string
	// Dir is the folder of the identity. Empty: the one below Base that has the name of the host.
	Dir, Base string
	Access    hostdir.Access
	Keys      Keys
	Force     bool // enroll even if the folder has an identity
}

// Enrolled is what came of it.
type Enrolled struct {
	Dir     string
	Pair    *hostdir.Pair
	Already bool // the host was enrolled before, and nothing was done
	Resumed bool // the key is one that an interrupted run left
}

// Ended returns an *EndedError if the server refused the last renewal of a host that was enrolled before, and
// renews it no more.
func (e *Enrolled) Ended() error {
	ended := hostdir.ReadState(e.Dir).Ended
	if !e.Already || ended == nil || ended.Serial != e.Pair.Record.Serial {
		return nil
	}
	return &EndedError{Name: e.Pair.Record.Name, Dir: e.Dir, At: ended.At, Reason: ended.Reason}
}

// Enroll gets the first certificate of a host and makes it the current one of its folder. The key is on
// disk before the token is used, and used again by the next run if this one does not end: the server
// gives the same answer to the same token and key.
func Enroll(ctx context.Context, e Enrolling) (*Enrolled, error) {
	if e.Approval != nil && e.Name == "" {
		return nil, &NameError{}
	}
	done, err := e.find()
	if err != nil {
		return nil, err
	}
	work := e.Dir
	if work == "" {
		work = filepath.Join(e.Base, startedPrefix+e.Token.IDText())
	}
	if done != nil {
		return done, removeStarted(ctx, work, done.Dir)
	}
	f, err := hostdir.Create(ctx, work, e.Access, lockTimeout)
	if unmade, ok := errors.AsType[*fs.PathError](err); ok && unmade.Op == "mkdir" {
		return nil, &UnmadeError{Dir: work, Err: unmade}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	f.Watch(e.step)
	if done, err := e.already(work); done != nil || err != nil {
		return done, err
	}
	pair, resumed, err := e.request(ctx, f)
	if err != nil {
		return nil, err
	}
	final, err := e.place(ctx, f, pair)
	return &Enrolled{Dir: final, Pair: pair, Resumed: resumed}, err
}

// removeStarted removes the folder of an enrollment that was interrupted when the one with the name of
// the host was complete.
func removeStarted(ctx context.Context, work, dir string) error {
	if work == dir {
		return nil
	}
	f, err := hostdir.Open(ctx, work, lockTimeout)
	if errors.As(err, new(*hostdir.NotEnrolledError)) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Remove()
}

// find looks for the folder that the host is enrolled in already, and sets Dir if that is known.
func (e *Enrolling) find() (*Enrolled, error) {
	if e.Dir == "" && e.Name != "" {
		var err error
		if e.Dir, err = e.below(e.Name); err != nil {
			return nil, err
		}
	}
	if e.Dir != "" {
		return e.already(e.Dir)
	}
	dirs, err := hostdir.List(e.Base)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		pair, err := hostdir.Current(dir)
		if err == nil && pair.Record.Token == e.Token.IDText() && !e.Force {
			return &Enrolled{Dir: dir, Pair: pair, Already: true}, nil
		}
	}
	return nil, nil
}

// below returns the folder below Base for the name of a host.
func (e *Enrolling) below(name string) (string, error) {
	file := dn.FileName(name)
	if file == "" || strings.ContainsFunc(file, unicode.IsControl) {
		return "", &NameError{Name: name}
	}
	return filepath.Join(e.Base, file), nil
}

// already returns what a folder has, if that is to stay.
func (e *Enrolling) already(dir string) (*Enrolled, error) {
	if e.Force {
		return nil, nil
	}
	pair, err := hostdir.Current(dir)
	if errors.As(err, new(*hostdir.NotEnrolledError)) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Enrolled{Dir: dir, Pair: pair, Already: true}, nil
}

// request gets a certificate for the key that is pending in a folder, or for the one in hardware.
func (e *Enrolling) request(ctx context.Context, f *hostdir.Folder) (pair *hostdir.Pair, resumed bool, err error) {
	c, err := e.newClient(e.Token.URL, Pin(e.Token.CAKey), e.Token.SystemRoots)
	if err != nil {
		return nil, false, err
	}
	var key Key
	keyFile := ""
	if e.Keys.URI != "" {
		key, err = e.Keys.Open(ctx, e.Keys.URI)
	} else {
		keyFile = f.Enrollment().KeyFile()
		key, resumed, err = e.pending(ctx, f)
	}
	if err != nil {
		return nil, false, err
	}
	defer key.Close()
	pair, err = e.ask(ctx, c, key)
	if refusal, ok := errors.AsType[*enrollapi.Error](err); ok && keyFile != "" && isAboutKey(refusal.Code) {
		return nil, false, errors.Join(err, f.Enrollment().Discard())
	}
	if err != nil {
		return nil, false, err
	}
	pair.KeyFile = keyFile
	return pair, resumed, nil
}

// pending opens the pending key, or makes one. One that is in use already was left behind by a run that
// was killed right after it had made it current.
func (e *Enrolling) pending(ctx context.Context, f *hostdir.Folder) (key Key, resumed bool, err error) {
	key, resumed, err = e.Keys.pending(ctx, f.Enrollment())
	if err != nil || !resumed {
		return key, resumed, err
	}
	current, err := f.Current()
	if err != nil || !isSameKey(current.Leaf.PublicKey, key.Public()) {
		return key, true, nil // a damaged pair does not keep anybody from enrolling anew
	}
	if err := errors.Join(key.Close(), f.Enrollment().Discard()); err != nil {
		return nil, false, err
	}
	return e.Keys.pending(ctx, f.Enrollment())
}

// isAboutKey reports whether a refusal is because of the key, so that another try needs another one.
func isAboutKey(c enrollapi.Code) bool {
	return c == enrollapi.KeyNotAllowed || c == enrollapi.KeyRevoked || c == enrollapi.RequestDenied || c == enrollapi.RequestOver
}

// ask sends the request and checks the answer.
func (e *Enrolling) ask(ctx context.Context, c *client, key Key) (*hostdir.Pair, error) {
	if e.Approval != nil {
		return e.await(ctx, c, key)
	}
	request, err := firstRequest(e.Name, key)
	if err != nil {
		return nil, err
	}
	var answer enrollapi.Answer
	date, err := c.post(ctx, enrollapi.PathEnroll, enrollapi.EnrollRequest{
		Token:   enrollapi.TokenProof{ID: e.Token.ID[:], Secret: e.Token.Secret},
		Request: request, KeyPlace: e.Keys.Place, Version: e.Version,
	}, &answer)
	if err != nil {
		return nil, err
	}
	return e.accept(c, key, &answer, date)
}

// accept checks an answer, and returns what to write of it.
func (e *Enrolling) accept(c *client, key Key, answer *enrollapi.Answer, date time.Time) (*hostdir.Pair, error) {
	want := expected{server: c.name, key: key, pin: Pin(e.Token.CAKey), name: e.Name, now: e.Now(), date: date}
	pair, err := want.pair(answer)
	if err != nil {
		return nil, err
	}
	pair.Record.Server, pair.Record.SystemRoots = e.Token.URL, e.Token.SystemRoots
	if e.Approval == nil {
		pair.Record.Token = e.Token.IDText()
	}
	e.Keys.note(&pair.Record)
	return pair, nil
}

// place makes a pair the current one of the host's folder, which is another one than that of the key if
// the server chose the name.
func (e *Enrolling) place(ctx context.Context, work *hostdir.Folder, pair *hostdir.Pair) (string, error) {
	if e.Dir != "" {
		return e.Dir, e.activate(work, e.Dir, pair)
	}
	dir, err := e.below(pair.Record.Name)
	if err != nil {
		return "", err
	}
	f, err := hostdir.Create(ctx, dir, e.Access, lockTimeout)
	if err != nil {
		return dir, err
	}
	defer f.Close()
	f.Watch(e.step)
	if taken, err := e.already(dir); taken != nil || err != nil {
		if err == nil {
			err = &NameTakenError{Name: pair.Record.Name, Dir: dir}
		}
		return dir, err
	}
	if err := e.activate(f, dir, pair); err != nil {
		return dir, err
	}
	return dir, work.Remove()
}

// activate makes a pair the current one of a folder, and forgets what the last tries to renew another came to.
func (e *Enrolling) activate(f *hostdir.Folder, dir string, pair *hostdir.Pair) error {
	before := hostdir.ReadState(dir)
	if err := f.Switch(*pair, e.Access); err != nil || before.LastTry.IsZero() {
		return err
	}
	return f.WriteState(hostdir.State{Hooks: before.Hooks}, e.Access)
}
