package enrollclient

import (
	"slices"
	"time"

	"kedge/internal/hostdir"
)

// Status is what is known of an identity without asking its server.
type Status struct {
	Name        string    `json:"name"`
	Dir         string    `json:"dir"`
	Certificate string    `json:"certificate"` // for --certificate
	PrivateKey  string    `json:"private_key"` // for --private-key
	Serial      string    `json:"serial"`
	NotAfter    time.Time `json:"not_after"`
	RenewAt     time.Time `json:"renew_at"`
	Server      string    `json:"server"`
	Failures    int       `json:"failures,omitempty"`
	LastTry     time.Time `json:"last_try,omitzero"`
	NextTry     time.Time `json:"next_try,omitzero"`
	Error       string    `json:"error,omitempty"`
}

// StatusOf describes the identity in a folder.
func StatusOf(dir string, pair *hostdir.Pair) Status {
	state := hostdir.ReadState(dir)
	return Status{
		Name: pair.Record.Name, Dir: dir, Certificate: certificatePath(dir), PrivateKey: privateKeyName(dir, pair), Serial: pair.Record.Serial,
		NotAfter: pair.Leaf.NotAfter.UTC(), RenewAt: RenewAt(pair.Record), Server: pair.Record.Server,
		Failures: state.Failures, LastTry: state.LastTry.UTC(), NextTry: state.NextTry.UTC(), Error: state.Error,
	}
}

func certificatePath(dir string) string {
	certificate, _ := hostdir.Files(dir)
	return certificate
}

// privateKeyName is how the commands of kedge name the key.
func privateKeyName(dir string, pair *hostdir.Pair) string {
	if pair.Record.Key != "" {
		return pair.Record.Key
	}
	_, key := hostdir.Files(dir)
	return key
}

// RoleFlags returns the flags with which the commands of kedge use an identity whose server named a role.
func RoleFlags(dir string, pair *hostdir.Pair) []string {
	aws := pair.Record.AWS
	flags := []string{"--certificate", certificatePath(dir)}
	if key := privateKeyName(dir, pair); key != certificatePath(dir) {
		flags = append(flags, "--private-key", key)
	}
	flags = append(flags,
		"--trust-anchor-arn", aws.TrustAnchorARN, "--profile-arn", aws.ProfileARN, "--role-arn", aws.RoleARN,
	)
	if pair.Record.PasswordFrom != "" {
		flags = append(flags, "--key-password-from", pair.Record.PasswordFrom)
	}
	if pair.Record.Library != "" {
		flags = append(flags, "--pkcs11-lib", pair.Record.Library)
	}
	return flags
}

// OfThisPair names the files of the pair in use by its own path: of those, the pair before does not take
// the place when AWS refuses them.
func OfThisPair(flags []string) []string {
	all := slices.Clone(flags)
	for i, argument := range all {
		all[i] = hostdir.Itself(argument)
	}
	return all
}
