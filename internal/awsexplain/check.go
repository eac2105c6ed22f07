package awsexplain

import (
	"strings"

	"kedge/internal/awscli"
	"kedge/internal/processline"
)

// State is what came of a check.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
	Blocked State = "not possible" // because of another check, or of a right that the credentials lack
)

// Result is a check with what it came to. It has the members of a check of kedge doctor.
type Result struct {
	Number  int    `json:"number"`
	ID      string `json:"id"` // for programs: it never changes its meaning
	Title   string `json:"title"`
	State   State  `json:"state"`
	Seen    string `json:"seen,omitempty"`
	Advice  string `json:"advice,omitempty"`
	Command string `json:"run,omitempty"`     // one or several lines for a POSIX shell
	Because int    `json:"because,omitempty"` // the number of the check because of which this one was not possible
}

// finding is what a check came to.
type finding struct {
	state                 State
	seen, advice, command string
}

func ok(seen string) finding { return finding{state: OK, seen: seen} }

// warning is for what does not keep credentials away, or not from each request.
func warning(seen, advice string) finding {
	return finding{state: Warning, seen: seen, advice: advice}
}

// failed is for why there are none.
func failed(seen, advice string) finding { return finding{state: Failed, seen: seen, advice: advice} }

// lacking is for what the credentials may not read.
func lacking(right string) finding {
	f := finding{state: Blocked, seen: "these credentials may not do " + right, advice: "have that allowed: the least policy is"}
	return f.run("kedge-ca aws permissions explain")
}

// run adds a line to the command to paste, in which each %s stands for the next of the values, quoted for a shell.
func (f finding) run(line string, values ...string) finding {
	command := f.command
	if command != "" {
		command += "\n"
	}
	for _, value := range values {
		before, after, _ := strings.Cut(line, "%s")
		if !processline.Plain(value) {
			value = awscli.Quote(value)
		}
		command, line = command+before+value, after
	}
	f.command = command + line
	return f
}

// check is one question. If one of those in needs failed or was not possible, neither is this one.
type check struct {
	id, title string
	needs     string // IDs of earlier checks, with spaces between
	judge     func(*Input) finding
}

// checks returns all checks, in their order.
func checks() []check {
	return []check{
		{idCertificate, "certificate in the ledger", "", judgeCertificate},
		{"host-state", "state of the certificate", idCertificate, judgeState},
		{"host-renewal", "renewal", "", judgeRenewal},
		{"host-rules", "rules for certificates of hosts", idCertificate, judgeRules},
		{idARNs, "ARNs", "", judgeARNs},
		{idAccount, "account", idARNs, judgeAccount},
		{idAnchor, "trust anchor", idAccount, judgeAnchor},
		{"anchor-enabled", "trust anchor enabled", idAnchor, judgeAnchorEnabled},
		{"anchor-certificates", "certificates of the trust anchor", idAnchor, judgeAnchorCertificates},
		{"path", "path to the trust anchor", idAnchor + " " + idCertificate, judgePath},
		{"revoked", "revocation lists at AWS", idAnchor + " " + idCertificate, judgeRevoked},
		{"lists", "state of the lists", idAnchor, judgeLists},
		{idProfile, "profile", idAccount, judgeProfile},
		{"profile-enabled", "profile enabled", idProfile, judgeProfileEnabled},
		{"profile-roles", "roles of the profile", idProfile, judgeProfileRoles},
		{"session-name", "session name", idProfile, judgeSessionName},
		{"session-policies", "policies of the profile", idProfile, judgeSessionPolicies},
		{"session-tags", "session tags", idProfile + " " + idCertificate, judgeTags},
		{idRole, "role", idAccount, judgeRole},
		{"trust-policy", "trust policy of the role", idRole + " " + idAnchor + " " + idCertificate, judgeTrust},
		{"duration", "duration of sessions", idProfile + " " + idRole, judgeDuration},
		{"permissions", "policies of the role", idRole, judgePermissions},
		{"seen", "last seen by AWS", idAccount + " " + idCertificate, judgeSeen},
	}
}

// The IDs of checks on which others depend.
const (
	idCertificate = "host-certificate"
	idARNs        = "arns"
	idAccount     = "account"
	idAnchor      = "trust-anchor"
	idProfile     = "profile"
	idRole        = "role"
	idAnswer      = "answer"
)

// runAll makes checks in their order.
func runAll(in *Input, all []check) []Result {
	results := make([]Result, 0, len(all))
	byID := map[string]Result{}
	for i, c := range all {
		r := Result{Number: i + 1, ID: c.id, Title: c.title}
		if r.Because = blockedBy(strings.Fields(c.needs), byID); r.Because != 0 {
			r.State = Blocked
		} else {
			f := c.judge(in)
			r.State, r.Seen, r.Advice, r.Command = f.state, f.seen, f.advice, f.command
		}
		byID[c.id] = r
		results = append(results, r)
	}
	return results
}

// blockedBy returns the number of the check that failed, or lacked a right, of those that are needed or that these need.
func blockedBy(needs []string, byID map[string]Result) int {
	for _, id := range needs {
		switch need := byID[id]; {
		case need.State == Blocked && need.Because != 0:
			return need.Because
		case need.State == Failed || need.State == Blocked:
			return need.Number
		}
	}
	return 0
}
