package awsadmin

import (
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// TestDecide: what is not met is named with what the session has, each reason once; of several statements it is that of
// the nearest.
func TestDecide(t *testing.T) {
	t.Parallel()
	const all = `"sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"`
	statement := func(effect, service, actions, conditions string) string {
		return `{"Effect":"` + effect + `","Principal":{"Service":"` + service + `"},"Action":[` + actions + `],"Condition":{` + conditions + `}}`
	}
	allow := func(actions, conditions string) string {
		return statement("Allow", "rolesanywhere.amazonaws.com", actions, conditions)
	}
	const (
		source = `"ArnEquals":{"aws:SourceArn":"` + anchorARN + `"}`
		byName = `"StringEquals":{"aws:PrincipalTag/x509Subject/CN":["web-01","web-02"]}`
		other  = `"StringEquals":{"aws:PrincipalTag/x509Subject/CN":["web-03","web-04"]}`
	)
	session := Session{Anchor: anchorARN, Tags: []ca.Tag{{Key: "x509Subject/CN", Value: "web-01"}, {Key: "x509Issuer/CN", Value: "CA"}}, SourceIdentity: "CN=web-01", Name: "01"}
	for _, tt := range []struct {
		name, statements string
		profile          *Mapping
		want             string // the refusals, a line for each
		unmapped         string
	}{
		{"given", allow(all, source+","+byName), nil, "", ""},
		{"other names", allow(all, source+","+other), nil, `sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity: statement 1: StringEquals of aws:PrincipalTag/x509Subject/CN wants "web-03" or "web-04", and the session has "web-01"`, ""},
		{"two actions missing", allow(`"sts:AssumeRole"`, source), nil, "sts:TagSession, sts:SetSourceIdentity: no statement allows it", ""},
		{"another reason for one action", allow(`"sts:AssumeRole","sts:TagSession"`, source) + "," + allow(`"sts:SetSourceIdentity"`, `"StringEquals":{"sts:SourceIdentity":"web-01"}`), nil,
			`sts:SetSourceIdentity: statement 2: StringEquals of sts:SourceIdentity wants "web-01", and the session has "CN=web-01"`, ""},
		{"the nearest statement", allow(all, strings.Replace(source, "trust-anchor/", "trust-anchor/0", 1)+","+other) + "," + allow(all, source+","+other), nil, `sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity: statement 2: StringEquals of aws:PrincipalTag/x509Subject/CN wants "web-03" or "web-04", and the session has "web-01"`, ""},
		{"denied", allow(all, source) + "," + statement("Deny", "rolesanywhere.amazonaws.com", `"sts:TagSession"`, byName), nil, "sts:TagSession: statement 2 denies it", ""},
		{"another service", statement("Allow", "ec2.amazonaws.com", all, source), nil, "sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity: no statement is for rolesanywhere.amazonaws.com", ""},
		{"not mapped", allow(all, source+","+byName), &Mapping{Fields: map[string][]string{"x509Issuer": {"CN"}}}, `sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity: statement 1: StringEquals of aws:PrincipalTag/x509Subject/CN wants "web-01" or "web-02", and the session has none, since the profile does not map it`, "x509Subject/CN"},
		{"absent", allow(all, source+`,"StringEquals":{"aws:PrincipalTag/x509Subject/OU":"a"}`), nil, `sts:AssumeRole, sts:TagSession, sts:SetSourceIdentity: statement 1: StringEquals of aws:PrincipalTag/x509Subject/OU wants "a", and the session has none`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trust, err := ReadTrust([]byte(`{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`))
			if err != nil {
				t.Fatal(err)
			}
			var lines, unmapped []string
			for _, r := range (Linter{Profile: tt.profile, Now: time.Now()}).Decide(trust, session) {
				lines, unmapped = append(lines, r.String()), append(unmapped, r.Unmapped...)
			}
			if got := strings.Join(lines, "\n"); got != tt.want || strings.Join(unmapped, " ") != tt.unmapped {
				t.Errorf("%s, %q\nwant %s", got, unmapped, tt.want)
			}
		})
	}
}
