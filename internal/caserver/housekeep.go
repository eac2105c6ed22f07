package caserver

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/webhook"
)

// houseTime is the interval at which work besides requests is checked.
const houseTime = time.Minute

// contactTime is the time between two writes of which hosts got an answer.
const contactTime = 20 * time.Second

// houseWait is the time until a server tries again that found another one at work: the other may lack
// the key for a list that is due here, and begin each time a moment earlier.
const houseWait = 5 * time.Second

// keepHouse does what is due, at once and at each tick, until ctx ends. Of several servers, one does at a
// time.
func (d *daemon) keepHouse(ctx context.Context, ticks <-chan time.Time) {
	for ctx.Err() == nil {
		var again <-chan time.Time
		if !d.housework(ctx) {
			again = time.After(houseWait)
		}
		select {
		case <-ticks:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// housework does what is due, and reports whether it could: not while another server does.
func (d *daemon) housework(ctx context.Context) bool {
	release, ok, err := d.CA.Service.TryLock(ctx)
	if err != nil && ctx.Err() == nil {
		d.limited.Warn("it is not known whether another server makes the lists", "error", err.Error())
	}
	if !ok || err != nil {
		return false
	}
	defer release()
	if err := d.makeLists(ctx); err != nil && ctx.Err() == nil {
		d.limited.Warn("which revocation lists are due is not known", "error", err.Error())
	}
	if err := d.notify(ctx); err != nil && ctx.Err() == nil {
		d.limited.Warn("the operator is not notified", "error", err.Error())
	}
	return true
}

// makeLists makes the revocation lists that are due, of the authorities whose key is here.
func (d *daemon) makeLists(ctx context.Context) error {
	due, err := d.CA.Service.DueLists(ctx)
	for _, a := range due {
		request := issuance.CRLRequest{Authority: a.Name, Valid: time.Duration(d.settings.Load().CRL.Valid)}
		made, err := d.CA.Service.PublishCRL(ctx, request, d.writeList)
		if err != nil {
			d.limited.Warn("a revocation list is not made", "authority", a.Name, "error", err.Error(), "hint", d.hint(err))
			continue
		}
		d.Log.Info("revocation list made", "authority", a.Name, "number", made.Number, "entries", made.Entries, "until", made.NextUpdate.Format(time.RFC3339))
		d.toPush.wake()
	}
	return err
}

// writeList writes the files of a list. Servers have it from the ledger, so an error is no reason to
// make another.
func (d *daemon) writeList(m *issuance.CRL) error {
	err := d.Folder.MakeCRLFolder()
	if err == nil {
		_, err = d.Folder.WriteCRL(m.Authority, m.Base != 0, m.DER, m.PEM)
	}
	if err != nil {
		d.limited.Warn("a revocation list is not in the folder of the CA", "authority", m.Authority, "error", err.Error())
	}
	return nil
}

func (d *daemon) hint(err error) string {
	if d.Advise == nil {
		return ""
	}
	return d.Advise(err)
}

// maxEvents bounds the events of one report.
const maxEvents = 100

// notice is what is reported.
type notice struct {
	Schema int              `json:"schema"`
	SentAt time.Time        `json:"sent_at"`
	Events []issuance.Event `json:"events"`
}

// notify reports the events that were not reported yet. What the receiver took is recorded before
// the next report, so that each event is reported once, or after a crash twice.
func (d *daemon) notify(ctx context.Context) error {
	settings := d.settings.Load().Notify
	if settings.URL == "" {
		return nil
	}
	secret, err := d.Folder.NotifySecret(settings)
	if err != nil {
		d.limited.Warn("the operator is not notified without a secret", "error", err.Error())
		return nil
	}
	hook := webhook.Hook{URL: settings.URL, Secret: secret, Timeout: time.Duration(settings.Timeout), Retries: *settings.Retries, Now: d.Now}
	current, err := d.CA.Service.Events(ctx)
	if err != nil {
		return err
	}
	left, err := d.CA.Service.Unreported(ctx, current)
	if err != nil {
		return err
	}
	for events := range slices.Chunk(left, maxEvents) {
		body, err := json.Marshal(notice{Schema: 1, SentAt: d.Now().UTC().Truncate(time.Second), Events: events})
		if err != nil {
			return err
		}
		if err := hook.Send(ctx, body); err != nil {
			return err
		}
		if err := d.CA.Service.Reported(ctx, events, current); err != nil {
			return err
		}
		d.Log.Info("the operator was notified", "events", len(events))
	}
	return nil
}

// background starts what the server does besides requests; wait returns when it has ended, after ctx
// has.
func (d *daemon) background(ctx context.Context) (wait func()) {
	var group sync.WaitGroup
	every := func(interval time.Duration, f func(context.Context, <-chan time.Time)) {
		group.Go(func() {
			ticker := time.NewTicker(interval)
			defer ticker.Stop()
			f(ctx, ticker.C)
		})
	}
	every(certificateCheck, d.server.KeepCertificate)
	every(contactTime, d.server.KeepContacts)
	every(houseTime, d.keepHouse)
	every(houseTime, d.keepPushed)
	return group.Wait
}
