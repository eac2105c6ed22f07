package archtest

// line is what one package may import.
type line struct {
	pkg    string // below the module
	own    string // packages of ours, below the module, with spaces between
	others string // modules, or packages of modules, with spaces between; what is below them too
	why    string // the idea that an addition would have to fit
}

// allowed lists every package. A new one has no line, and fails until it gets one; so does a new
// import. That is meant: the line is where a reviewer sees what comes to depend on what.
func allowed() []line {
	return []line{
		{"ca", "internal/pemread", "golang.org/x/crypto/cryptobyte", "what a certificate may be needs neither files nor a ledger"},
		{"ca/enroll", "ca ca/issuance ca/ledger internal/enrollapi internal/httpserver signer", "", "proofs become identities, and one policy decides for all of them; of the ledger it knows the errors and records"},
		{"ca/issuance", "ca ca/ledger internal/dn internal/pemread", "", "the CA as a service: no files, no key stores, no streams"},
		{"ca/ledger", "ca", "github.com/jackc/pgx/v5 github.com/pressly/goose/v3 modernc.org/sqlite", "the only package with a database driver"},
		{"cmd/kedge", "internal/advice internal/atomicfile internal/cache internal/cli internal/config internal/credfile internal/creds internal/csr internal/enrollapi internal/enrollclient internal/filelock internal/hostadvice internal/hostdir internal/hostkeys internal/httpserver internal/keys internal/official internal/process internal/processline internal/refresh internal/role internal/serve internal/settings internal/systemd internal/trial signer signer/keyfile signer/session", "github.com/aws/aws-sdk-go-v2/aws github.com/spf13/cobra github.com/spf13/pflag", "hosts carry as little as possible"},
		{"cmd/kedge-ca", "ca ca/issuance ca/ledger internal/advice internal/atomicfile internal/awscli internal/caadvice internal/cadir internal/caserver internal/certinfo internal/cli internal/config internal/enrollapi internal/hostcert internal/hostfiles internal/hostlist internal/keys internal/localca internal/pkcs8 internal/report internal/safefile internal/takeover signer signer/keyfile", "github.com/spf13/cobra go.yaml.in/yaml/v3", "flags, prompts and tables"},
		{"cmd/kedge-emulator", "internal/atomicfile internal/cli internal/emulator", "github.com/spf13/cobra", "no signer and no ca"},
		{"cmd/kedge-pkcs11", "internal/wire", "github.com/miekg/pkcs11 golang.org/x/sys/unix", "the only program with cgo"},
		{"examples/golang", "signer signer/session", "github.com/aws/aws-sdk-go-v2/aws github.com/aws/aws-sdk-go-v2/service/sts", ""},
		{"internal/caadvice", "ca ca/issuance ca/ledger internal/advice internal/cadir internal/caserver internal/cli internal/config internal/filelock internal/hostcert internal/localca internal/pemread internal/safefile internal/takeover signer/keyfile", "", "words about errors of the CA; kedge, which links no CA, has its own"},
		{"internal/advice", "internal/cli internal/config pkcs11 signer signer/keyfile tpm", "", "what is common to the tables of advice: rows, and those about hardware, files and passwords"},
		{"internal/archtest", "", "", ""},
		{"internal/atomicfile", "", "golang.org/x/sys/unix", ""},
		{"internal/awscli", "internal/cadir", "", "command lines are text: what is registered comes from the service, and is run by a person"},
		{"internal/cache", "internal/atomicfile internal/filelock internal/refresh", "github.com/aws/aws-sdk-go-v2/aws", ""},
		{"internal/cadir", "ca internal/atomicfile internal/config internal/enrollapi internal/hostfiles internal/keys internal/pkcs8 internal/safefile internal/yamlfile signer signer/keyfile tpm", "go.yaml.in/yaml/v3", "it knows files; what happened, and what may, is the ledger's"},
		{"internal/caserver", "ca/enroll internal/cadir internal/config internal/enrollapi internal/httpserver internal/localca internal/systemd", "", "sockets, configuration and systemd: no flags and no streams"},
		{"internal/certinfo", "ca ca/issuance ca/ledger internal/cli internal/report", "", "what of a certificate is shown"},
		{"internal/cli", "", "github.com/spf13/cobra github.com/spf13/pflag golang.org/x/sys/unix golang.org/x/sys/windows golang.org/x/term", "the only package with cobra below cmd/"},
		{"internal/config", "internal/keys internal/pemread internal/safefile signer signer/keyfile", "", "it opens no key: keys.Options is what it gives"},
		{"internal/credfile", "internal/atomicfile internal/filelock", "", ""},
		{"internal/creds", "", "github.com/aws/aws-sdk-go-v2/aws", ""},
		{"internal/csr", "internal/dn", "", "what a request of a host says; what may be in a certificate, the CA knows"},
		{"internal/dn", "", "", ""},
		{"internal/emulator", "", "", "a second implementation that shares code repeats its mistakes"},
		{"internal/enrollapi", "signer", "", "the words of hosts and servers: neither side's code"},
		{"internal/enrollclient", "internal/csr internal/dn internal/enrollapi internal/hostdir signer signer/session", "", "the host's side of enrollment: it opens no key store, and links neither a server nor a database driver"},
		{"internal/filelock", "", "golang.org/x/sys/windows", ""},
		{"internal/hostadvice", "internal/advice internal/cache internal/cli internal/config internal/credfile internal/enrollapi internal/enrollclient internal/filelock internal/hostdir internal/keys internal/process internal/role internal/serve internal/settings internal/trial signer signer/session tpm", "", "words about errors on hosts; kedge-ca has its own"},
		{"internal/hostcert", "ca ca/issuance ca/ledger internal/atomicfile internal/dn internal/hostfiles internal/hostlist internal/report", "", "the CA's service and the files of hosts, joined once for every command and server that writes to a disk"},
		{"internal/hostdir", "internal/atomicfile internal/enrollapi internal/filelock internal/safefile", "", "the folder of an enrolled host: files, not what is in them"},
		{"internal/hostfiles", "internal/atomicfile internal/dn internal/filelock internal/pkcs12 internal/safefile signer signer/keyfile", "software.sslmate.com/src/go-pkcs12", "hosts that enroll use it as the CA does: it knows neither a CA nor flags"},
		{"internal/hostkeys", "internal/config internal/enrollapi internal/enrollclient internal/hostdir internal/keys internal/role", "", "keys of all kinds, as enrollment takes them"},
		{"internal/hostlist", "ca internal/dn", "", "the columns of hosts.csv are checked as ca and hostfiles would"},
		{"internal/httpserver", "", "", "the limits of every HTTP server of ours"},
		{"internal/keys", "internal/atomicfile internal/pkcs8 pkcs11 signer signer/keyfile tpm", "", "the only package that knows all key stores"},
		{"internal/localca", "ca ca/issuance ca/ledger internal/atomicfile internal/cadir internal/enrollapi internal/filelock internal/hostfiles internal/safefile internal/takeover", "", "cadir and the service meet here, for all front ends: no flags and no streams"},
		{"internal/official", "", "", "what the official helper prints"},
		{"internal/pbe", "", "golang.org/x/crypto/scrypt", ""},
		{"internal/pemread", "", "", "ca and signer both read by it, so it needs neither"},
		{"internal/pkcs12", "internal/pbe", "", ""},
		{"internal/pkcs8", "internal/pbe", "github.com/cloudflare/circl", ""},
		{"internal/process", "", "golang.org/x/sys/unix", ""},
		{"internal/processline", "", "", ""},
		{"internal/refresh", "signer/session", "github.com/aws/aws-sdk-go-v2/aws", ""},
		{"internal/report", "internal/cli", "", "tables and documents, whatever is in them"},
		{"internal/role", "internal/cache internal/config internal/keys internal/refresh signer signer/keyfile signer/session", "github.com/aws/aws-sdk-go-v2/aws", "settings, then what is checked of them, then an open key: no flags and no streams"},
		{"internal/safefile", "internal/atomicfile", "", ""},
		{"internal/serve", "internal/atomicfile internal/creds internal/httpserver internal/refresh", "github.com/aws/aws-sdk-go-v2/aws", ""},
		{"internal/settings", "internal/safefile internal/yamlfile", "go.yaml.in/yaml/v3", ""},
		{"internal/systemd", "", "golang.org/x/sys/unix", ""},
		{"internal/takeover", "ca internal/pemread", "", "it reads what others left; what is taken in is the ledger's to say"},
		{"internal/testenv", "", "golang.org/x/sys/unix", ""},
		{"internal/testenv/pairs", "internal/pkcs8 internal/testenv", "", ""},
		{"internal/wire", "", "golang.org/x/sys/unix", ""},
		{"internal/yamlfile", "", "go.yaml.in/yaml/v3", "both programs read their configuration by it"},
		{"pkcs11", "internal/pemread internal/safefile internal/wire", "", "above it a key is a crypto.Signer"},
		{"internal/trial", "internal/processline signer/session", "", "what the SDKs do with a profile; it knows nothing of flags"},
		{"scripts/bench/bare", "", "", ""},
		{"scripts/bench/bareserve", "", "", ""},
		{"scripts/bench/floor", "", "", ""},
		{"scripts/bench/issue", "ca ca/issuance ca/ledger scripts/bench/workload", "", "it measures the library without the service, and with it"},
		{"scripts/bench/issue-floor", "scripts/bench/workload", "modernc.org/sqlite", ""},
		{"scripts/bench/issue-postgres-floor", "scripts/bench/workload", "github.com/jackc/pgx/v5", ""},
		{"scripts/bench/linked", "", "github.com/aws/aws-sdk-go-v2/aws github.com/cloudflare/circl github.com/spf13/cobra go.yaml.in/yaml/v3", ""},
		{"scripts/bench/load", "", "", ""},
		{"scripts/bench/measure", "", "", ""},
		{"scripts/bench/million", "ca ca/ledger scripts/bench/workload", "", ""},
		{"scripts/bench/renew-floor", "scripts/bench/workload", "modernc.org/sqlite", ""},
		{"scripts/bench/takein", "scripts/bench/workload", "", ""},
		{"scripts/bench/workload", "", "", ""},
		{"scripts/crash", "", "", ""},
		{"scripts/identity", "", "github.com/aws/aws-sdk-go-v2/config github.com/aws/aws-sdk-go-v2/service/sts", ""},
		{"scripts/soak", "", "github.com/aws/aws-sdk-go-v2/aws github.com/aws/aws-sdk-go-v2/service/sts github.com/aws/smithy-go", ""},
		{"scripts/torn", "internal/emulator", "", ""},
		{"signer", "internal/dn internal/safefile signer/keyfile", "", "a library for other programs as well: no file formats but keys and certificates"},
		{"signer/keyfile", "internal/pemread internal/pkcs12 internal/pkcs8", "", "bytes -> keys and certificates: it opens no file"},
		{"signer/session", "signer", "github.com/aws/aws-sdk-go-v2/aws", "a library for other programs as well: of the SDK only its core"},
		{"tpm", "internal/pemread", "github.com/google/go-tpm", "above it a key is a crypto.Signer"},
	}
}

// reachable lists what the packages that others build on may get to, directly or through others, of
// our own packages: more in one of them is more in all that use them.
func reachable() map[string]string {
	return map[string]string{
		"signer":             "internal/atomicfile internal/dn internal/pbe internal/pemread internal/pkcs12 internal/pkcs8 internal/safefile signer/keyfile",
		"signer/session":     "internal/atomicfile internal/dn internal/pbe internal/pemread internal/pkcs12 internal/pkcs8 internal/safefile signer signer/keyfile",
		"signer/keyfile":     "internal/pbe internal/pemread internal/pkcs12 internal/pkcs8",
		"ca":                 "internal/pemread",
		"ca/issuance":        "ca ca/ledger internal/dn internal/pemread",
		"ca/ledger":          "ca internal/pemread",
		"tpm":                "internal/pemread",
		"pkcs11":             "internal/atomicfile internal/pemread internal/safefile internal/wire",
		"internal/pemread":   "",
		"internal/keys":      "internal/atomicfile internal/dn internal/pbe internal/pemread internal/pkcs12 internal/pkcs8 internal/safefile internal/wire pkcs11 signer signer/keyfile tpm",
		"internal/hostfiles": "internal/atomicfile internal/dn internal/filelock internal/pbe internal/pemread internal/pkcs12 internal/pkcs8 internal/safefile signer signer/keyfile",
		"internal/cadir":     "ca internal/atomicfile internal/config internal/dn internal/enrollapi internal/filelock internal/hostfiles internal/keys internal/pbe internal/pemread internal/pkcs12 internal/pkcs8 internal/safefile internal/wire internal/yamlfile pkcs11 signer signer/keyfile tpm",
		"internal/safefile":  "internal/atomicfile",
		"cmd/kedge":          "internal/advice internal/atomicfile internal/cache internal/cli internal/config internal/credfile internal/creds internal/csr internal/dn internal/enrollapi internal/enrollclient internal/filelock internal/hostadvice internal/hostdir internal/hostkeys internal/httpserver internal/keys internal/official internal/pbe internal/pemread internal/pkcs12 internal/pkcs8 internal/process internal/processline internal/refresh internal/role internal/safefile internal/serve internal/settings internal/systemd internal/trial internal/wire internal/yamlfile pkcs11 signer signer/keyfile signer/session tpm",
		"internal/emulator":  "",
		"cmd/kedge-emulator": "internal/atomicfile internal/cli internal/emulator",
		"internal/takeover":  "ca internal/pemread",
	}
}
