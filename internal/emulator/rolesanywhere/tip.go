package rolesanywhere

import "kedge/internal/emulator/wire"

// TIP is TipConfiguration of the API reference: the settings of trusted identity propagation of a profile. The SDK that the
// tests use does not have it yet.
type TIP struct {
	Status        string `json:"status"`                 // ENABLED or DISABLED
	SubjectSource string `json:"subjectSource,omitzero"` // x509Subject/CN or x509SAN/URI
	SubjectType   string `json:"subjectType,omitzero"`   // workload or user; empty: not given
}

const (
	tipEnabled       = "ENABLED"
	defaultTIPSource = fieldSubject + "/CN"
)

// tipInput is TIP in a request.
type tipInput struct {
	Status        *string `json:"status"`
	SubjectSource *string `json:"subjectSource"`
	SubjectType   *string `json:"subjectType"`
}

// constraints: API reference, TipConfiguration.
func (in *tipInput) constraints() *wire.Error {
	const field = "tipConfiguration."
	switch {
	case in == nil:
		return nil
	case in.Status == nil:
		return missing(field + "status")
	}
	refusal := checkOneOf(field+"status", *in.Status, tipEnabled, "DISABLED")
	if in.SubjectSource != nil {
		refusal = first(refusal, checkOneOf(field+"subjectSource", *in.SubjectSource, defaultTIPSource, fieldSAN+"/URI"))
	}
	if in.SubjectType != nil {
		refusal = first(refusal, checkOneOf(field+"subjectType", *in.SubjectType, "workload", "user"))
	}
	return refusal
}

// settings returns what a profile keeps of a request. That the default of subjectSource shows in answers is ours.
func (in *tipInput) settings() *TIP {
	t := TIP{Status: *in.Status, SubjectSource: defaultTIPSource}
	if in.SubjectSource != nil {
		t.SubjectSource = *in.SubjectSource
	}
	if in.SubjectType != nil {
		t.SubjectType = *in.SubjectType
	}
	return &t
}

// OriginSource returns the session tag whose value is aws:OriginIdentity/Subject; "" if the profile has no trusted identity
// propagation.
func (p *Profile) OriginSource() string {
	if p.TIP == nil || p.TIP.Status != tipEnabled {
		return ""
	}
	return p.TIP.SubjectSource
}
