package awsexport

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"slices"
	"time"

	"kedge/internal/awsplan"
)

// anyAnchor stands in trust policies for the ARN of the trust anchor, which the tools know later.
const anyAnchor = "arn:aws:rolesanywhere:us-east-1:000000000000:trust-anchor/00000000-0000-0000-0000-000000000000"

// sourceType is that of a trust anchor with certificates of its own (IAM Roles Anywhere API Reference, Source).
const sourceType = "CERTIFICATE_BUNDLE"

func trustOf(r *awsplan.Role) (string, error) {
	trust, err := r.Trust(anyAnchor)
	if err != nil {
		return "", fmt.Errorf("role %s: %w", r.Name, err)
	}
	return trust, nil
}

func pemOf(certs []*x509.Certificate) string {
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return string(text)
}

// setting is when the service warns, with each member that it has.
type setting struct {
	event     string
	enabled   bool
	threshold int // days
}

// defaultThreshold is what the service keeps for a setting without a threshold: one that is not enabled has it, too
// (IAM Roles Anywhere User Guide, "Customize notification settings").
const defaultThreshold = 45

const channel = "ALL"

func settingsOf(all []awsplan.Notification) (settings []setting) {
	for _, n := range all {
		s := setting{n.Event, n.Days > 0, n.Days}
		if !s.enabled {
			s.threshold = defaultThreshold
		}
		settings = append(settings, s)
	}
	return settings
}

// notificationJSON returns settings as the AWS CLI takes them.
func notificationJSON(all []awsplan.Notification) (string, error) {
	var members []map[string]any
	for _, s := range settingsOf(all) {
		members = append(members, map[string]any{"event": s.event, "enabled": s.enabled, "threshold": s.threshold, "channel": channel})
	}
	return compact(members)
}

// tagMembers returns tags in the order of their keys, as objects whose members have these names.
func tagMembers(key, value string, tags map[string]string) (all []map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, map[string]string{key: k, value: tags[k]})
	}
	return all
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// shortHash returns a text of 8 letters and digits by which names are told from each other.
func shortHash(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:4])
}

// compact returns a value as JSON in one line, with each character as it is.
func compact(v any) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}
