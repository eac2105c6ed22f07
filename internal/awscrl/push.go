package awscrl

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awsaccount"
)

// maxLists is how many lists a trust anchor takes (User Guide, "Quotas": 2 CRLs per trust anchor).
const maxLists = 2

// Pusher pushes the list of one authority to one trust anchor.
type Pusher struct {
	Account   *awsaccount.Account // in the region of the trust anchor
	Service   *issuance.Service
	Authority ledger.Authority
	Anchor    string // ARN of the trust anchor, no alias: ImportCrl takes none
	Name      string // of the list when it is imported
	Tag       Tag    // of the lists that may be replaced

	// Sleep waits between looking for a list again; nil: one that waits.
	Sleep func(context.Context, time.Duration) error
}

// Change is what a push did.
type Change string

// What a push can do.
const (
	Imported  Change = "imported"
	Updated   Change = "updated"
	Unchanged Change = "unchanged"
)

// Result is what a push found and did. The tags are those of kedge-ca's JSON.
type Result struct {
	Authority  string    `json:"authority"`
	ARN        string    `json:"crl_arn"`
	Anchor     string    `json:"trust_anchor_arn"`
	Change     Change    `json:"change"`
	Before     int64     `json:"before,omitempty"` // the number of the list that was there
	Number     int64     `json:"number"`           // as read back
	Entries    int       `json:"entries"`          // as read back
	NextUpdate time.Time `json:"next_update"`
	Twins      []string  `json:"twins,omitempty"` // ARNs of other lists with the same tag, which are left as they are

	SHA256 []byte `json:"-"` // of the DER
}

// maxRounds bounds how often a push begins again because there is a later list.
const maxRounds = 5

// Push brings the current list of the authority to the trust anchor. If a later list was made meanwhile, it goes on
// to that. Errors are *NoListError, *SizeError, *issuance.OddListError for what cannot be pushed; *BehindError,
// *ForeignError, *UntaggedError, *FullError and *OlderError for what is at AWS, where nothing was changed then;
// *ReadBackError and *DisabledError after a change; *UnknownOutcomeError; and *awsaccount.Error.
func (p *Pusher) Push(ctx context.Context) (r *Result, err error) {
	for range maxRounds {
		var own *signedList
		if own, err = p.own(ctx); err != nil {
			return nil, err
		}
		one, err := p.push(ctx, own)
		if older, ok := errors.AsType[*OlderError](err); ok {
			if newer, ownErr := p.own(ctx); ownErr == nil && newer.number() >= older.There {
				continue // another process made it meanwhile, and pushed it
			}
		}
		if err != nil {
			return one, err
		}
		if r == nil || one.Change != Unchanged {
			r = one.after(r)
		}
		last, err := p.own(ctx)
		if err != nil {
			return nil, err
		}
		if last.number() <= own.number() {
			return r, nil
		}
	}
	return nil, errors.Join(err, errors.New("push the list of "+p.Authority.Name+": other processes make it again and again"))
}

// after joins the result of a push that followed another one.
func (r *Result) after(first *Result) *Result {
	if first != nil {
		r.Before = first.Before
		if first.Change == Imported {
			r.Change = Imported
		}
	}
	return r
}

// push pushes a list.
func (p *Pusher) push(ctx context.Context, own *signedList) (*Result, error) {
	there, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	if len(there.ours) == 0 {
		return p.add(ctx, own, there)
	}
	r, err := p.replace(ctx, own, there.ours[0].arn)
	if r != nil {
		r.Twins = there.twins()
	}
	return r, err
}

// present is what a trust anchor has.
type present struct {
	ours []list // with the tag, signed by the authority's key
	all  []string
}

func (t *present) twins() (arns []string) {
	for _, l := range t.ours[1:] {
		arns = append(arns, l.arn)
	}
	return arns
}

// look returns the lists of the trust anchor. Each that the authority's key signed is compared with the ledger,
// whether it is one to be replaced or not: what it revokes must not be lost.
func (p *Pusher) look(ctx context.Context) (*present, error) {
	lists, err := p.lists(ctx)
	if err != nil {
		return nil, err
	}
	there := &present{}
	var untagged error
	for _, l := range lists {
		there.all = append(there.all, l.arn)
		_, err := p.compare(ctx, l)
		foreign, isForeign := errors.AsType[*ForeignError](err)
		switch {
		case isForeign && l.tagged:
			return nil, foreign
		case isForeign:
		case err != nil:
			return nil, err
		case !l.tagged:
			untagged = &UntaggedError{ARN: l.arn, Key: p.Tag.Key, Value: p.Tag.Values[0]}
		default:
			there.ours = append(there.ours, l)
		}
	}
	return there, untagged
}

// compare verifies the signature of a list, and compares it with the ledger. One that is none of the authority is a
// *ForeignError.
func (p *Pusher) compare(ctx context.Context, l list) (*x509.RevocationList, error) {
	parsed, err := p.Service.CompareList(ctx, p.Authority, l.data, l.arn)
	if forgotten, ok := errors.AsType[*issuance.ForgottenError](err); ok {
		return parsed, &BehindError{ARN: l.arn, Err: forgotten}
	}
	if odd, ok := errors.AsType[*issuance.OddListError](err); ok {
		return nil, &ForeignError{ARN: l.arn, Authority: p.Authority.Name, Why: odd.Why}
	}
	return parsed, err
}
