package issuance_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
)

// keyOf is the key of a certificate as the ledger tells keys apart.
func keyOf(c *x509.Certificate) string {
	hash := ca.KeyHash(c)
	return string(hash[:])
}

func hashOf(key crypto.PublicKey) string { return keyOf(&x509.Certificate{PublicKey: key}) }

func pick[T any](w *world, all []T) T { return all[w.rng.IntN(len(all))] }

// read returns a certificate as the ledger has it, and its row of the reference, without what
// follows from other certificates.
func (w *world) read(seq int64) (ledger.Certificate, *refCert) {
	w.t.Helper()
	for c, err := range w.pair[0].l.List(w.t.Context(), ledger.Filter{After: seq - 1, Limit: 1}) {
		if err != nil {
			w.fail("%v", err)
		}
		if c.Seq != seq {
			break
		}
		w.ref.prints[string(c.Fingerprint)] = seq
		return c, &refCert{seq: seq, kind: c.Kind, name: c.CommonName, key: string(c.KeyHash), issuer: string(c.IssuerKey), serial: c.Serial,
			notBefore: c.NotBefore, notAfter: c.NotAfter}
	}
	w.fail("there is no certificate %d", seq)
	return ledger.Certificate{}, nil
}

// addCA adds the certificate of an authority to the reference.
func (w *world) addCA(seq int64) {
	_, c := w.read(seq)
	w.ref.certs[seq] = c
}

// addLeaf adds a leaf to the reference, and compares it with what was asked for.
func (w *world) addLeaf(seq int64, name, key, issuer string, replaces *refCert) {
	w.t.Helper()
	_, c := w.read(seq)
	if c.kind != ledger.Leaf || c.name != name || c.key != key || c.issuer != issuer {
		w.fail("certificate %d is another: %+v", seq, c)
	}
	w.ref.addLeaf(c, replaces)
}

// openedIssuer is an Issuer from before, as a server holds one.
type openedIssuer struct {
	by     *server
	issuer *issuance.Issuer
	key    string
	path   []*refCert // with which it was opened
}

// issuer returns a function that opens an authority, and one that returns why that may be refused.
func (w *world) issuer(sv *server) (text, key string, refused func() []string, open func(context.Context) (*issuance.Issuer, error)) {
	if len(w.opened) != 0 && w.rng.IntN(6) == 0 {
		o := pick(w, w.opened)
		if o.by == sv {
			refused := func() []string {
				why := w.ref.recordable(w.ref.withKey(o.key), w.clock(sv))
				for _, c := range o.path {
					if !c.validAt(w.clock(sv)) {
						why = append(why, "validity")
					}
				}
				return why
			}
			return "by an authority opened before", o.key, refused, func(context.Context) (*issuance.Issuer, error) { return o.issuer, nil }
		}
	}
	name, asked := w.ref.issuing(), ""
	if w.rng.IntN(6) == 0 {
		name = pick(w, slices.Sorted(maps.Keys(w.ref.authorities)))
		asked = name
	}
	key = w.ref.certs[w.ref.authorities[name].cert].key
	path := w.ref.path(name)
	refused = func() []string { return w.ref.usable(name, w.clock(sv)) }
	return "by " + name, key, refused, func(ctx context.Context) (*issuance.Issuer, error) {
		issuer, err := sv.Issuer(ctx, asked)
		if err == nil {
			o := &openedIssuer{by: sv, issuer: issuer, key: key}
			for _, a := range path {
				o.path = append(o.path, w.ref.certs[a.cert])
			}
			w.mutex.Lock()
			defer w.mutex.Unlock()
			w.opened = append(w.opened, o)
		}
		return issuer, err
	}
}

// issue is a new certificate: for a new key, or for one that has some already.
func (w *world) issue(sv *server) *operation {
	h := &host{name: pick(w, modelHosts()), key: w.hostKey()}
	isNew := len(w.hosts) == 0 || w.rng.IntN(3) != 0
	if !isNew {
		h = pick(w, w.hosts)
	}
	name := h.name
	if w.rng.IntN(10) == 0 {
		name = pick(w, modelHosts()) // which may be another host's
	}
	text, issuer, refused, open := w.issuer(sv)
	request := ca.Request{Name: name, Public: h.key.Public(), Lifetime: time.Duration(1+w.rng.IntN(20)) * time.Hour, Once: w.rng.IntN(2) == 0, AllowRevokedKey: w.rng.IntN(4) == 0}
	key := hashOf(h.key.Public())
	op := &operation{text: fmt.Sprintf("issue %s, key %x, once %v, revoked key %v, %s", name, key[:2], request.Once, request.AllowRevokedKey, text)}
	var ended map[string]bool
	var again *refCert
	var result *issuance.Issued
	op.predict = func() {
		now := w.ref.now(w.clock(sv))
		again = w.ref.once(name, key, issuer, now)
		op.want, op.stages, ended = refused(), nil, nil
		switch rule := w.ref.keyRules(key, request.AllowRevokedKey, now); {
		case len(op.want) != 0:
		case rule != "":
			op.want = []string{rule}
		case request.Once && again != nil:
			op.want = []string{"again"}
		default:
			ended = w.ended(name, key, now)
			op.stages = []stage{{1, func(first int64) { w.addLeaf(first, name, key, issuer, nil) }}}
		}
	}
	op.run = func(ctx context.Context) error {
		i, err := open(ctx)
		if err != nil {
			return err
		}
		leaf, err := i.Prepare(ca.DefaultProfile(), request)
		if err != nil {
			return err
		}
		result, err = leaf.Issue(ctx)
		return err
	}
	op.judge = func() error { return w.answer(result, ended, again) }
	op.done = func() {
		if result == nil || name != h.name {
			return
		}
		h.got(result)
		if isNew {
			w.hosts = append(w.hosts, h)
		}
	}
	return op
}

// ended returns the serials of the certificates whose renewal ends when a name is issued to a key,
// if any.
func (w *world) ended(name, key string, now time.Time) map[string]bool {
	lives, all := false, map[string]bool{}
	for _, l := range w.ref.lineages {
		lives = lives || l.name == name && w.ref.certs[l.newest].key != key
	}
	for _, c := range w.ref.certs {
		if lives && c.kind == ledger.Leaf && c.name == name && c.key != key && !c.revoked && !now.After(c.notAfter) {
			all[c.serial] = true
		}
	}
	return all
}

// answer compares what a service answered with what it should.
func (w *world) answer(r *issuance.Issued, ended map[string]bool, again *refCert) error {
	if r.Again {
		if again == nil || fmt.Sprintf("%x", r.Certificate.SerialNumber.Bytes()) != again.serial {
			return fmt.Errorf("the answer is serial %x again, which is not %+v", r.Certificate.SerialNumber, again)
		}
		return errAgain
	}
	have := map[string]bool{}
	for _, c := range r.Ended {
		have[c.Serial] = true
	}
	if ended != nil && len(ended) <= 20 && !maps.Equal(have, ended) {
		return fmt.Errorf("ended are %v, want %v", have, ended)
	}
	return nil
}

// got keeps the answer.
func (h *host) got(r *issuance.Issued) {
	sum := sha256.Sum256(r.Certificate.Raw)
	if len(h.prints) == 0 || h.prints[len(h.prints)-1] != string(sum[:]) {
		h.prints = append(h.prints, string(sum[:]))
		h.certs = append(h.certs, r.Certificate)
	}
}

// clone makes a copy of a host, with its key and certificate.
func (w *world) clone() {
	if len(w.hosts) > 0 && len(w.hosts) < 12 {
		h := *pick(w, w.hosts)
		h.prints = slices.Clone(h.prints)
		w.hosts = append(w.hosts, &h)
		w.log = append(w.log, "a copy of "+h.name+" is made")
	}
}

// renew presents the certificate that a host has, or one that it had before, for its key or for
// another.
func (w *world) renew(sv *server) *operation {
	if len(w.hosts) == 0 {
		return w.issue(sv)
	}
	h := pick(w, w.hosts)
	fingerprint := h.prints[len(h.prints)-1]
	if w.rng.IntN(4) == 0 {
		fingerprint = pick(w, h.prints)
	}
	key := h.key
	if w.rng.IntN(3) == 0 { // a rekey, perhaps one whose answer was lost
		if h.pending == nil || w.rng.IntN(4) == 0 {
			h.pending = w.hostKey()
		}
		key = h.pending
	}
	text, issuer, refused, open := w.issuer(sv)
	hash := hashOf(key.Public())
	op := &operation{text: fmt.Sprintf("renew %s, certificate %d, for key %x, %s", h.name, w.ref.prints[fingerprint], hash[:2], text)}
	var again *refCert
	op.predict = func() { again = w.predictRenewal(sv, op, fingerprint, hash, issuer, refused()) }
	if newest := w.ref.newestFor(fingerprint, hash); newest != "" { // its successor is issued in a second transaction
		op.instead = func() { again = w.predictRenewal(sv, op, newest, hash, issuer, refused()) }
	}
	var result *issuance.Issued
	op.run = func(ctx context.Context) error {
		old, err := sv.l.Certificate(ctx, []byte(fingerprint))
		if err != nil {
			return err
		}
		i, err := open(ctx)
		if err != nil {
			return err
		}
		r := issuance.Renewal{Old: old, Renewal: ca.Renewal{Profile: ca.DefaultProfile(), Public: key.Public()}}
		result, err = i.Renew(ctx, r)
		return err
	}
	op.judge = func() error { return w.answer(result, nil, again) }
	op.done = func() {
		if result != nil {
			h.key = key
			h.got(result)
		}
	}
	return op
}

// predictRenewal follows a renewal through the rules. It returns the certificate that is the
// answer again.
func (w *world) predictRenewal(sv *server, op *operation, fingerprint, key, issuer string, refused []string) *refCert {
	op.want, op.stages = nil, nil
	seq, ok := w.ref.prints[fingerprint]
	presented := w.ref.certs[seq]
	if !ok || presented == nil || presented.archived { // from before a restore, or long superseded
		op.want = []string{"not found"}
		return nil
	}
	if len(refused) != 0 {
		op.want = refused
		return nil
	}
	now := w.ref.now(w.clock(sv))
	if rule := w.ref.keyRules(key, false, now); rule != "" {
		op.want = []string{rule}
		return nil
	}
	why, newest := w.ref.replace(presented, key)
	if why == "answered" && newest.seq > presented.seq && !w.clock(sv).Before(newest.notBefore.Add(newest.notAfter.Sub(newest.notBefore)*2/3)) {
		presented, why = newest, ""
	}
	switch why {
	case "":
		op.stages = []stage{{1, func(first int64) { w.addLeaf(first, presented.name, key, issuer, presented) }}}
	case "answered":
		op.want = []string{"again"}
		return newest
	case "clone":
		op.want = []string{"clone"}
		op.refusal = fmt.Sprintf("%d %d %x", presented.seq, newest.seq, key)
		if !w.ref.clones[op.refusal] {
			op.stages = []stage{{1, func(int64) { w.ref.clones[op.refusal] = true }}}
		}
	default:
		op.want = []string{why}
	}
	return nil
}

// revokeName revokes what a name selects.
func (w *world) revokeName(sv *server) *operation {
	name, reason := pick(w, modelHosts()), w.reason()
	op := &operation{text: fmt.Sprintf("revoke %s by name: %s", name, reason)}
	one, err := issuance.SelectName(name)
	if err != nil {
		w.fail("%v", err)
	}
	wanted := map[string]bool{}
	for _, c := range w.ref.certs {
		if c.kind == ledger.Leaf && c.name == name && !c.archived && !w.clock(sv).After(c.notAfter) && (!c.revoked || c.reason == ca.CertificateHold && reason != ca.CertificateHold) {
			wanted[c.serial] = true
		}
	}
	chosen, err := sv.ToRevoke(w.t.Context(), []issuance.Selector{one}, reason)
	if err != nil {
		if len(wanted) != 0 {
			w.fail("%s: %v, although %v can be revoked", op.text, err, wanted)
		}
		op.text += ": there is none"
		op.run = func(context.Context) error { return nil }
		return op
	}
	for _, c := range chosen.Certificates {
		if c.CommonName != name {
			w.fail("%s selects %q", op.text, c.Subject)
		}
		delete(wanted, c.Serial)
	}
	if len(wanted) != 0 {
		w.fail("%s does not select %v", op.text, wanted)
	}
	return w.revokeThese(sv, op, chosen.Certificates, reason)
}

// revokeSome revokes one or two certificates, leaves or one of an authority, in whatever state.
func (w *world) revokeSome(sv *server) *operation {
	reason := w.reason()
	op := &operation{text: fmt.Sprintf("revoke: %s", reason)}
	certs := w.some(func(*refCert) bool { return true })
	if len(certs) == 0 {
		return w.issue(sv)
	}
	return w.revokeThese(sv, op, certs, reason)
}

func (w *world) revokeThese(sv *server, op *operation, certs []ledger.Certificate, reason ca.Reason) *operation {
	for _, c := range certs {
		op.text += fmt.Sprintf(" %d", c.Seq)
	}
	op.predict = func() {
		op.want = nil
		op.stages = []stage{{1, func(int64) {
			for _, c := range certs {
				w.ref.certs[c.Seq].revoked, w.ref.certs[c.Seq].reason = true, reason
			}
		}}}
		for _, c := range certs {
			if r := w.ref.certs[c.Seq]; r.revoked && (r.reason != ca.CertificateHold || reason == ca.CertificateHold) {
				op.want, op.stages = []string{"revoked"}, nil
			}
		}
	}
	op.run = func(ctx context.Context) error {
		changed, err := sv.Revoke(ctx, certs, reason, "")
		if err == nil && len(changed.Certificates) != len(certs) {
			err = errors.New("not all are revoked")
		}
		return err
	}
	return op
}

// release ends holds; for a certificate that is not on hold it must fail.
func (w *world) release(sv *server) *operation {
	held := func(c *refCert) bool { return c.revoked && c.reason == ca.CertificateHold }
	certs := w.some(held)
	if w.rng.IntN(4) == 0 || len(certs) == 0 {
		certs = w.some(func(*refCert) bool { return true })
	}
	if len(certs) == 0 {
		return w.issue(sv)
	}
	op := &operation{text: "release"}
	for _, c := range certs {
		op.text += fmt.Sprintf(" %d", c.Seq)
	}
	op.predict = func() {
		op.want = nil
		op.stages = []stage{{1, func(int64) {
			for _, c := range certs {
				w.ref.certs[c.Seq].revoked, w.ref.certs[c.Seq].reason = false, 0
			}
		}}}
		for _, c := range certs {
			if !held(w.ref.certs[c.Seq]) {
				op.want, op.stages = []string{"not held"}, nil
			}
		}
	}
	op.run = func(ctx context.Context) error {
		_, err := sv.Release(ctx, certs, "")
		return err
	}
	return op
}

// some are one or two certificates: leaves, and the current ones of intermediates, seldom.
func (w *world) some(usable func(*refCert) bool) (certs []ledger.Certificate) {
	var seqs []int64
	current := map[int64]bool{}
	for _, a := range w.ref.authorities {
		current[a.cert] = a.parent != ""
	}
	intermediates := w.rng.IntN(4) == 0
	for _, seq := range slices.Sorted(maps.Keys(w.ref.certs)) {
		c := w.ref.certs[seq]
		if usable(c) && !c.archived && (c.kind == ledger.Leaf || intermediates && current[seq]) {
			seqs = append(seqs, seq)
		}
	}
	w.rng.Shuffle(len(seqs), func(i, j int) { seqs[i], seqs[j] = seqs[j], seqs[i] })
	for _, seq := range seqs[:min(len(seqs), 1+w.rng.IntN(2))] {
		c, _ := w.read(seq)
		certs = append(certs, c)
	}
	return certs
}

// reason is any that a certificate can be revoked for; a hold more often.
func (w *world) reason() ca.Reason {
	all := append(slices.DeleteFunc(ca.Reasons(), func(r ca.Reason) bool { return r == ca.RemoveFromCRL }), ca.CertificateHold, ca.CertificateHold)
	return pick(w, all)
}

// list makes the list of an authority and publishes it, or a delta to the last one.
func (w *world) list(sv *server) *operation {
	name := pick(w, slices.Sorted(maps.Keys(w.ref.authorities)))
	cert := w.ref.certs[w.ref.authorities[name].cert]
	at := w.clock(sv).Truncate(time.Second)
	request := issuance.CRLRequest{Authority: name, Valid: 24 * time.Hour, Delta: w.rng.IntN(4) == 0}
	op := &operation{text: fmt.Sprintf("list of %s, delta %v", name, request.Delta)}
	var number int64
	var want map[string]ca.Reason
	op.predict = func() {
		number, want = w.ref.lastNumber(cert.key)+1, w.ref.list(cert.key, at)
		op.want, op.stages = nil, []stage{{1, func(int64) { w.ref.number(cert.key, number, request.Delta) }}}
		base, here := w.ref.base(cert.key)
		if !cert.validAt(at) {
			op.want, op.stages = []string{"validity"}, nil
		}
		switch {
		case request.Delta && !here:
			op.want, op.stages = append(op.want, "no base"), nil
		case request.Delta:
			want = difference(base, want)
		}
	}
	var made *issuance.CRL
	op.run = func(ctx context.Context) error {
		_, err := sv.PublishCRL(ctx, request, func(m *issuance.CRL) error { made = m; return nil })
		return err
	}
	op.judge = func() error {
		list, err := readList(made.DER)
		if err == nil && (!maps.Equal(list, want) || made.Number != number) {
			err = fmt.Errorf("list %d has %v, want list %d with %v", made.Number, list, number, want)
		}
		return err
	}
	op.done = func() {
		if made == nil || request.Delta {
			return
		}
		w.mutex.Lock()
		defer w.mutex.Unlock()
		w.lists[name] = made.DER
		w.ref.published[cert.key], w.ref.numbers[cert.key] = want, number
	}
	return op
}

// difference is what a delta to a list holds.
func difference(base, now map[string]ca.Reason) map[string]ca.Reason {
	delta := map[string]ca.Reason{}
	for serial, reason := range now {
		if before, listed := base[serial]; !listed || before != reason {
			delta[serial] = reason
		}
	}
	for serial := range base {
		if _, listed := now[serial]; !listed {
			delta[serial] = ca.RemoveFromCRL
		}
	}
	return delta
}

func readList(der []byte) (map[string]ca.Reason, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	entries := map[string]ca.Reason{}
	for _, e := range list.RevokedCertificateEntries {
		entries[hex.EncodeToString(e.SerialNumber.Bytes())] = ca.Reason(e.ReasonCode)
	}
	return entries, nil
}
