package archtest

import (
	"slices"
	"strings"
	"testing"
)

// TestDirectImports holds the rules about who names what in an import.
func TestDirectImports(t *testing.T) {
	rules := []struct {
		what    string   // an import path or a prefix of one
		allowed []string // folders
		why     string
	}{
		{"github.com/spf13/", []string{"cmd", "internal/cli", "scripts"}, "the command line ends where the library begins"},
		{"github.com/google/go-tpm", []string{"tpm"}, "above tpm/ a key is a crypto.Signer"},
		{"github.com/miekg/pkcs11", []string{"pkcs11", "cmd/kedge-pkcs11"}, "above pkcs11/ a key is a crypto.Signer"},
		{"kedge/tpm", []string{"tpm", "internal/keys", "internal/cadir", "internal/advice", "internal/hostadvice", "examples"}, "keys are opened and made by internal/keys; cadir checks their URIs; advice names their errors"},
		{"kedge/pkcs11", []string{"pkcs11", "internal/keys", "internal/advice", "examples"}, "keys are opened and made by internal/keys; advice names their errors"},
		{"go.step.sm/crypto", []string{"internal/awskms"}, "above internal/awskms a key is a crypto.Signer; what else is in the module is large, and starts up"},
		{"kedge/internal/awskms", []string{"internal/awskms", "internal/cadir", "internal/caadvice", "cmd/kedge-ca"}, "it is for the keys of CAs: hosts do not link the SDK"},
		{"kedge/internal/cabackup", []string{"internal/cabackup", "internal/caadvice", "cmd/kedge-ca"}, "it is for operators: hosts do not link age"},
		{"kedge/internal/awsaccount", []string{"internal/awsaccount", "internal/awscrl", "internal/awshosts", "internal/awsup", "internal/localca", "internal/caadvice", "cmd/kedge-ca"}, "it is for operators: hosts do not link the SDK"},
		{"github.com/aws/aws-sdk-go-v2/service/rolesanywhere", []string{"internal/awsaccount", "internal/awscrl", "internal/awshosts", "internal/awsup"}, "an account is changed by few packages"},
		{"github.com/aws/aws-sdk-go-v2/service/iam", []string{"internal/awsaccount", "internal/awsup"}, "an account is changed by one package"},
		{"kedge/internal/emulator/policy", []string{"internal/emulator", "internal/awsadmin"}, "no program decides by IAM's policies but the emulator; an operator is shown what they decide"},
		{"database/sql", []string{"ca/ledger", "scripts"}, "one package knows how the ledger is stored; a floor has its own table"},
		{"github.com/cloudflare/circl", []string{"internal/pkcs8", "scripts/bench/linked"}, "it signs with ML-DSA keys without a seed; crypto/mldsa with all others"},
	}
	for _, f := range load(t) {
		for _, r := range rules {
			for _, imp := range f.imports {
				if strings.HasPrefix(imp, r.what) && !slices.ContainsFunc(r.allowed, func(dir string) bool { return under(f.pkg, dir) }) {
					t.Errorf("%s imports %s: %s", f.path, imp, r.why)
				}
			}
		}
	}
}

// TestReach holds the rules about what a package gets to through others.
func TestReach(t *testing.T) {
	const stranger = "their common language is crypto.Signer, *x509.Certificate and context.Context"
	rules := []struct {
		from   string
		banned []string
		why    string
	}{
		{"signer", []string{"kedge/ca", "kedge/tpm", "kedge/pkcs11", "kedge/internal/keys", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"signer/keyfile", []string{"kedge/ca", "kedge/tpm", "kedge/pkcs11", "kedge/internal/keys", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"signer/session", []string{"kedge/ca", "kedge/tpm", "kedge/pkcs11", "kedge/internal/keys", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"ca", []string{"kedge/signer", "kedge/tpm", "kedge/pkcs11", "kedge/internal/keys", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"ca/issuance", []string{"kedge/signer", "kedge/tpm", "kedge/pkcs11", "kedge/internal/keys", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"tpm", []string{"kedge/signer", "kedge/ca", "kedge/pkcs11", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"pkcs11", []string{"kedge/signer", "kedge/ca", "kedge/tpm", "kedge/internal/cli", "kedge/internal/config"}, stranger},
		{"internal/pemread", []string{"kedge", "golang.org", "github.com"}, "ca and signer both read by it, so it needs neither"},
		{"internal/keys", []string{"kedge/ca", "kedge/internal/cli", "kedge/internal/config"}, "it takes what they read, and asks by what it is given"},
		{"internal/hostfiles", []string{"kedge/ca", "kedge/internal/cadir", "kedge/internal/cli", "kedge/internal/config", "github.com/spf13"}, "hosts that enroll use it as the CA does: it knows neither a CA nor flags"},
		{"internal/cadir", []string{"kedge/ca/ledger", "kedge/ca/issuance", "kedge/internal/cli", "github.com/spf13"}, "it knows files; what happened, and what may, is the ledger's"},
		{"internal/safefile", []string{"kedge/internal/config", "kedge/signer", "github.com"}, "kedge reads its configuration with it at every start"},
		{"cmd/kedge", []string{"database/sql", "kedge/ca", "kedge/internal/emulator", "kedge/internal/awsaccount", "kedge/internal/awskms", "go.step.sm", "github.com/aws/aws-sdk-go-v2/service", "github.com/aws/aws-sdk-go-v2/config"}, "hosts carry as little as possible"},
		{"internal/emulator", []string{"kedge/signer", "kedge/ca", "kedge/internal/config"}, "a second implementation that shares code repeats its mistakes"},
		{"cmd/kedge-emulator", []string{"kedge/signer", "kedge/ca", "kedge/internal/config"}, "a second implementation that shares code repeats its mistakes"},
	}
	files := load(t)
	for _, r := range rules {
		for imp, path := range closure(files, r.from) {
			if slices.ContainsFunc(r.banned, func(b string) bool { return under(imp, b) }) {
				t.Errorf("%s: %s", path, r.why)
			}
		}
	}
}

// TestIssuanceOpensNothing: the CA as a service gets what lies in files from its caller, and
// gives back what is to be written, so that it works where there are none.
func TestIssuanceOpensNothing(t *testing.T) {
	for _, f := range load(t) {
		if f.pkg != "ca/issuance" {
			continue
		}
		for _, imp := range f.imports {
			if slices.ContainsFunc([]string{"os", "syscall", "net", "log", "flag", "kedge/internal/atomicfile", "kedge/internal/filelock"}, func(b string) bool { return under(imp, b) }) {
				t.Errorf("%s imports %s: it opens no files and has no streams", f.path, imp)
			}
		}
	}
}

// TestPolicyIsPure: a decision depends on the document and the request alone.
func TestPolicyIsPure(t *testing.T) {
	for _, f := range load(t) {
		if f.pkg != "internal/emulator/policy" {
			continue
		}
		for _, imp := range f.imports {
			if slices.ContainsFunc([]string{"os", "io/fs", "syscall", "net/http", "net", "log", "flag", "sync", "math/rand"}, func(b string) bool { return imp == b }) {
				t.Errorf("%s imports %s: it opens no files, and has no streams and no state", f.path, imp)
			}
		}
	}
}

// TestEmulatorIsStandardLibraryOnly: what the emulator does must be readable without
// knowing anything but Go. Its own packages count as it.
func TestEmulatorIsStandardLibraryOnly(t *testing.T) {
	for imp, path := range closure(load(t), "internal/emulator") {
		first, _, _ := strings.Cut(imp, "/")
		if strings.Contains(first, ".") || under(imp, module) && !under(imp, module+"/internal/emulator") {
			t.Errorf("%s: the emulator uses the standard library only", path)
		}
	}
}
