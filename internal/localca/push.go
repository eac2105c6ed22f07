package localca

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/awsaccount"
	"kedge/internal/awscli"
	"kedge/internal/awscrl"
	"kedge/internal/cadir"
	"kedge/internal/filelock"
)

// PushRequest specifies which lists are pushed to IAM Roles Anywhere, and how its account is reached.
type PushRequest struct {
	Authorities []string // names; empty: each that has a list and whose trust anchor is known
	// Account is how accounts are reached; the region is that of each trust anchor. With a profile, other accounts than
	// its own are left out. Without one, the profile of an account is the one in the configuration, if there is one.
	Account awsaccount.Config
	// LeftOut is called with the places that are left out.
	LeftOut func([]cadir.Place)
}

// NotPushedError has the errors about several lists.
type NotPushedError struct{ Errs []error }

func (e *NotPushedError) Error() string {
	var texts []string
	for _, err := range e.Errs {
		texts = append(texts, err.Error())
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors.
func (e *NotPushedError) Unwrap() []error { return e.Errs }

// NoAnchorError reports that the trust anchor of an authority's list is not known.
type NoAnchorError struct{ Authority string }

func (e *NoAnchorError) Error() string {
	return fmt.Sprintf("the trust anchor of %q is not known here", e.Authority)
}

// PushLists brings the current lists of authorities to IAM Roles Anywhere, calls pushed for each that arrived, and
// records in the CA's folder what AWS has. It opens no key. Of several processes, one pushes at a time. A list that
// cannot be pushed does not stop the others; errors are those of awscrl.Pusher.Push, in a *NotPushedError if there are
// several, and before any list is pushed a *NoAnchorError, an *awscrl.NoListError or a *filelock.HeldError.
func (c *CA) PushLists(ctx context.Context, r PushRequest, pushed func(*awscrl.Result)) error {
	targets, err := c.requestedTargets(ctx, r)
	if err != nil {
		return err
	}
	return c.pushAll(ctx, targets, c.reach(r.Account), pushed)
}

// madeTimeout bounds a push after a list was made.
const madeTimeout = 2 * time.Minute

// PushMade is PushLists for lists that were just made, by the names of their authorities, as the configuration has it:
// those whose trust anchor is known, in bounded time. If that of none is known, the error is a *NoAnchorError.
func (c *CA) PushMade(ctx context.Context, settings cadir.AccountCRLSettings, made []string, pushed func(*awscrl.Result)) error {
	targets, err := c.pushTargets(ctx, nil)
	if err != nil {
		return err
	}
	targets = slices.DeleteFunc(targets, func(t pushTarget) bool { return !slices.Contains(made, t.authority.Name) })
	if len(targets) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, madeTimeout)
	defer cancel()
	return c.pushAll(ctx, targets, reach{profileOf: settings.ProfileOf}, pushed)
}

func (c *CA) pushAll(ctx context.Context, targets []pushTarget, by reach, pushed func(*awscrl.Result)) error {
	return c.eachPusher(ctx, targets, by, func(t pushTarget, p *awscrl.Pusher) error {
		result, err := p.Push(ctx)
		c.recordPush(ctx, t, result, err)
		if result != nil {
			pushed(result)
		}
		return err
	})
}

// TakeLists records in the ledger what lists of the authorities at AWS have and the ledger lacks, and calls taken
// for each such list. why is recorded. Errors are as those of PushLists.
func (c *CA) TakeLists(ctx context.Context, r PushRequest, why string, taken func(authority string, _ awscrl.Taken)) error {
	targets, err := c.requestedTargets(ctx, r)
	if err != nil {
		return err
	}
	return c.eachPusher(ctx, targets, c.reach(r.Account), func(_ pushTarget, p *awscrl.Pusher) error {
		all, err := p.Take(ctx, why)
		for _, one := range all {
			taken(p.Authority.Name, one)
		}
		return err
	})
}

// eachPusher calls do for the list of each authority in each place, while no other process pushes.
func (c *CA) eachPusher(ctx context.Context, targets []pushTarget, by reach, do func(pushTarget, *awscrl.Pusher) error) error {
	release, err := c.lockPushes(ctx)
	if err != nil {
		return err
	}
	defer release()
	var failed []error
	all := by.accounts(targets)
	for _, t := range targets {
		p, err := c.pusher(ctx, t, all)
		if err == nil {
			err = do(t, p)
		} else {
			c.recordPush(ctx, t, nil, err)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("push the list of %q to %s: %w", t.authority.Name, t.place(), err))
		}
	}
	if len(failed) > 1 {
		return &NotPushedError{Errs: failed}
	}
	return errors.Join(failed...)
}

func (c *CA) pusher(ctx context.Context, t pushTarget, all accounts) (*awscrl.Pusher, error) {
	account, err := all.in(ctx, t.place())
	if err != nil {
		return nil, err
	}
	owners, err := c.owners(ctx)
	if err != nil {
		return nil, err
	}
	return &awscrl.Pusher{
		Account: account, Service: c.Service, Authority: t.authority, Anchor: t.anchor.Text,
		Name: awscli.ResourceName(t.authority.Name), Tag: awscrl.TagOf(t.authority.Name, owners), Sleep: all.config.Sleep,
	}, nil
}

// pushTarget is where the list of an authority goes, in one place.
type pushTarget struct {
	authority ledger.Authority
	anchor    cadir.ARN
	list      []byte // its current list, in DER
}

func (t pushTarget) place() cadir.Place { return cadir.PlaceOf(t.anchor.Text) }

// pushTargets returns the targets of authorities. Without names these are all that have a list and whose trust anchor
// is known; those that have ended or are retired are left out, since their trust anchor has them no more.
func (c *CA) pushTargets(ctx context.Context, names []string) (all []pushTarget, err error) {
	authorities, err := c.authoritiesOf(ctx, names)
	if err != nil || len(authorities) == 0 {
		return nil, err
	}
	lists, _, err := c.CRLTargets(ctx, authorities, ARNs{})
	if err != nil {
		return nil, err
	}
	var first error
	for i, a := range authorities {
		list, err := c.Service.PublishedList(ctx, a)
		var missing error
		if _, none := errors.AsType[*ledger.NotFoundError](err); none {
			missing = &awscrl.NoListError{Authority: a.Name}
		} else if err != nil {
			return nil, err
		}
		if lists[i][0].Anchor().Text == "" { // then it is so in each place
			missing = &NoAnchorError{Authority: a.Name}
		}
		switch {
		case missing == nil:
			for _, at := range lists[i] {
				all = append(all, pushTarget{authority: a, anchor: at.Anchor(), list: list})
			}
		case len(names) > 0:
			return nil, missing
		case first == nil:
			first = missing
		}
	}
	if len(all) == 0 {
		return nil, first
	}
	return all, nil
}

func (c *CA) authoritiesOf(ctx context.Context, names []string) (all []ledger.Authority, err error) {
	for _, name := range names {
		path, err := c.Service.Path(ctx, name)
		if err != nil {
			return nil, err
		}
		all = append(all, path[0])
	}
	if len(names) > 0 {
		return all, nil
	}
	known, err := c.Service.Authorities(ctx)
	now := c.now()
	for _, a := range known {
		if a.State != ledger.Retired && !now.After(a.Certificate.NotAfter) {
			all = append(all, a)
		}
	}
	return all, err
}

// pushTimeout bounds how long a push waits for another one, and pushPoll is the time between two looks.
const (
	pushTimeout = 2 * time.Minute
	pushPoll    = 500 * time.Millisecond
)

// lockPushes waits until no other process pushes lists of this CA: by a lock in its folder, and one in the database
// that several folders share.
func (c *CA) lockPushes(ctx context.Context) (release func(), err error) {
	path := c.folder.PushLockPath()
	err = c.folder.MakeCRLFolder()
	if err == nil {
		err = atomicfile.Create(path, nil, 0o600)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	unlock, err := filelock.Lock(ctx, path, pushTimeout)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(pushTimeout); ; {
		release, ok, err := c.Service.TryPushLock(ctx)
		switch {
		case err != nil:
			unlock()
			return nil, err
		case ok:
			return func() { release(); unlock() }, nil
		case time.Now().After(end):
			unlock()
			return nil, &filelock.HeldError{Path: c.Ledger.Where(), Waited: pushTimeout}
		}
		select {
		case <-time.After(pushPoll):
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		}
	}
}

// recordPush keeps in the CA's folder what a push found. A failure to do so is a warning: AWS has the list.
func (c *CA) recordPush(ctx context.Context, t pushTarget, result *awscrl.Result, failure error) {
	record, err := c.folder.PushRecord(t.authority.Name, t.place())
	if err != nil {
		record = new(cadir.PushRecord)
	}
	now := c.now().UTC().Truncate(time.Second)
	record.Failed, record.Failure = time.Time{}, ""
	if failure != nil {
		record.Failed, record.Failure = now, failure.Error()
	}
	if result != nil {
		record.ARN, record.Number, record.NextUpdate, record.Checked = result.ARN, result.Number, result.NextUpdate, now
		record.SetIs(result.SHA256, result.Anchor)
		err = c.keepCRL(ctx, t.authority.Name, result.ARN)
	}
	if err = errors.Join(err, c.folder.WritePushRecord(t.authority.Name, t.place(), record)); err != nil {
		c.config.warnAll([]string{fmt.Sprintf("what was pushed is not recorded in the CA's folder: %v", err)})
	}
}

// keepCRL keeps the ARN of a list in aws.yaml, for command lines that update it; an alias that is kept stays.
func (c *CA) keepCRL(ctx context.Context, authority, arn string) error {
	known, err := c.folder.Places()
	if err != nil {
		return err
	}
	kept := known.At(cadir.PlaceOf(arn)).CRLs[authority]
	if _, err := cadir.ParseARN(kept, cadir.CRLARN); kept == arn || kept != "" && err != nil {
		return nil
	}
	return c.ChangePlaces(ctx, func(known *cadir.Places) { known.SetCRL(authority, arn) })
}

// UnpushedLists returns the authorities whose current list was not pushed from this folder, or whose last push was
// longer ago than a time: what is at AWS may have changed since.
func (c *CA) UnpushedLists(ctx context.Context, recheck time.Duration) (names []string, err error) {
	targets, err := c.pushTargets(ctx, nil)
	if _, none := errors.AsType[*awscrl.NoListError](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, t := range targets {
		record, err := c.folder.PushRecord(t.authority.Name, t.place())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(t.list)
		if slices.Contains(names, t.authority.Name) {
			continue
		}
		if !record.Is(sum[:], t.anchor.Text) || !record.Failed.IsZero() || c.now().Sub(record.Checked).Abs() > recheck {
			names = append(names, t.authority.Name)
		}
	}
	return names, nil
}
