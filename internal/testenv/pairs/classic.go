package pairs

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kedge/internal/testenv"
)

// container is one way to store a key, or a key with its certificate, by openssl's arguments.
type container struct {
	name      string
	args      string // KEY, CERT, INTER, CAS stand for files, PASS for the password's argument
	encrypted bool
}

// keyContainers hold the key alone.
func keyContainers() []container {
	list := []container{
		{"pkcs8-pem", "pkcs8 -topk8 -nocrypt -in KEY", false},
		{"pkcs8-der", "pkcs8 -topk8 -nocrypt -in KEY -outform DER", false},
		{"traditional-pem", "pkey -in KEY -traditional", false},
		{"traditional-der", "pkey -in KEY -traditional -outform DER", false},
		{"traditional-aes-256", "pkey -in KEY -traditional -aes256 PASS", true},
		{"traditional-des3", "pkey -in KEY -traditional -des3 PASS", true},
		{"pbes2-der", "pkcs8 -topk8 -v2 aes-256-cbc -in KEY -outform DER PASS", true},
		{"pbes2-scrypt", "pkcs8 -topk8 -scrypt -in KEY PASS", true},
		{"pbes2-scrypt-small", "pkcs8 -topk8 -v2 aes-128-cbc -scrypt -scrypt_N 1024 -scrypt_r 4 -scrypt_p 3 -in KEY PASS", true},
	}
	for _, cipher := range []string{"aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "des3"} {
		list = append(list, container{"pbes2-" + cipher, "pkcs8 -topk8 -v2 " + cipher + " -in KEY PASS", true})
	}
	for _, prf := range []string{"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"} {
		list = append(list, container{"pbes2-prf-" + strings.ToLower(prf), "pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWith" + prf + " -in KEY PASS", true})
	}
	for _, old := range []string{"PBE-MD5-DES", "PBE-SHA1-DES", "PBE-SHA1-3DES", "PBE-SHA1-2DES", "PBE-SHA1-RC2-40", "PBE-SHA1-RC2-128"} {
		list = append(list, container{strings.ToLower(old), "pkcs8 -topk8 -v1 " + old + " -provider legacy -provider default -in KEY PASS", true})
	}
	return list
}

// bundles hold key, leaf and intermediate.
func bundles() []container {
	const export = "pkcs12 -export -inkey KEY -in CERT -certfile INTER "
	return []container{
		{"pkcs12", export + "PASS", true},
		{"pkcs12-legacy", export + "-legacy PASS", true},
		{"pkcs12-legacy-descert", export + "-legacy -descert PASS", true},
		{"pkcs12-nomac", export + "-nomac PASS", true},
		{"pkcs12-legacy-nomac", export + "-legacy -nomac PASS", true},
		{"pkcs12-certs-plain", export + "-certpbe NONE PASS", true},
		{"pkcs12-keys-plain", export + "-keypbe NONE PASS", true},
		{"pkcs12-plain", export + "-certpbe NONE -keypbe NONE PASS", true},
		{"pkcs12-plain-nomac", export + "-certpbe NONE -keypbe NONE -nomac -passout pass:", false},
		{"pkcs12-mac-sha1", export + "-macalg sha1 PASS", true},
		{"pkcs12-mac-sha384", export + "-macalg sha384 PASS", true},
		{"pkcs12-mac-sha512", export + "-macalg sha512 PASS", true},
		{"pkcs12-one-iteration", export + "-nomaciter -noiter PASS", true},
		{"pkcs12-empty-password", export + "-passout pass:", false},
		{"pkcs12-empty-password-legacy", export + "-legacy -passout pass:", false},
		{"pkcs12-empty-password-nomac", export + "-nomac -passout pass:", false},
		{"pkcs12-root-too", "pkcs12 -export -inkey KEY -in CERT -certfile CAS PASS", true},
	}
}

// classic makes every pair with one key of the kind.
func (m *maker) classic(kind string) []Pair {
	m.tb.Helper()
	m.newKey(kind)
	m.sign(kind, "inter", "leaf.ext")
	m.openssl("pkey", "-in", kind+".key", "-pubout", "-outform", "DER", "-out", kind+".pub")
	var all []Pair
	for _, c := range keyContainers() {
		file := kind + "." + c.name
		m.convert(kind, c, file)
		if c.name == "traditional-pem" && strings.HasPrefix(kind, "p-") {
			params := testenv.Run(m.tb, m.dir, "openssl", "ecparam", "-name", curve(kind))
			m.write(file, params, m.read(file)) // as "openssl ecparam -genkey" puts it
		}
		all = append(all, m.pair(kind, c, Pair{KeyFile: file, CertFile: kind + ".pem", InterFile: "inter.pem"}))
	}
	for _, c := range bundles() {
		file := kind + "." + c.name
		m.convert(kind, c, file)
		all = append(all, m.pair(kind, c, Pair{CertFile: file}))
	}
	return append(all, m.certificateForms(kind)...)
}

// certificateForms are ways to store the certificates, with a plain key beside or inside.
func (m *maker) certificateForms(kind string) []Pair {
	m.tb.Helper()
	m.openssl("x509", "-in", kind+".pem", "-outform", "DER", "-out", kind+".der")
	m.openssl("x509", "-in", "inter.pem", "-outform", "DER", "-out", "inter.der")
	key, leaf, inter, root := m.read(kind+".key"), m.read(kind+".pem"), m.read("inter.pem"), m.read("root.pem")
	m.write(kind+".chain.der", m.read(kind+".der"), m.read("inter.der"))
	m.write(kind+".fullchain.pem", leaf, inter)
	m.write(kind+".fullchain-root-first.pem", root, inter, leaf)
	m.write(kind+".key-first.pem", key, leaf, inter)
	m.write(kind+".key-last.pem", inter, leaf, key)
	m.write(kind+".crlf.pem", []byte(strings.ReplaceAll(string(slices.Concat(leaf, inter)), "\n", "\r\n")))
	m.write(kind+".with-text.pem", testenv.Run(m.tb, m.dir, "openssl", "x509", "-in", kind+".pem", "-text"), inter)
	form := func(name string, p Pair) Pair { return m.pair(kind, container{name: name}, p) }
	return []Pair{
		form("cert-der", Pair{CertFile: kind + ".der", KeyFile: kind + ".key", InterFile: "inter.pem"}),
		form("chain-der", Pair{CertFile: kind + ".chain.der", KeyFile: kind + ".key"}),
		form("inter-der", Pair{CertFile: kind + ".pem", KeyFile: kind + ".key", InterFile: "inter.der"}),
		form("fullchain", Pair{CertFile: kind + ".fullchain.pem", KeyFile: kind + ".key"}),
		form("fullchain-root-first", Pair{CertFile: kind + ".fullchain-root-first.pem", KeyFile: kind + ".key"}),
		form("key-first", Pair{CertFile: kind + ".key-first.pem"}),
		form("key-last", Pair{CertFile: kind + ".key-last.pem"}),
		form("crlf", Pair{CertFile: kind + ".crlf.pem", KeyFile: kind + ".key"}),
		form("with-text", Pair{CertFile: kind + ".with-text.pem", KeyFile: kind + ".key"}),
	}
}

// newKey makes kind.key; RSA keys are kept in testdata, since making them is slow.
func (m *maker) newKey(kind string) {
	m.tb.Helper()
	if strings.HasPrefix(kind, "rsa") {
		key, err := os.ReadFile(filepath.Join(testenv.Root(m.tb), "signer", "testdata", "keys", kind+".pem"))
		if err != nil {
			m.tb.Fatal(err)
		}
		m.write(kind+".key", key)
		return
	}
	m.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+strings.ToUpper(kind), "-out", kind+".key")
}

func curve(kind string) string {
	return map[string]string{"p-256": "prime256v1", "p-384": "secp384r1", "p-521": "secp521r1"}[kind]
}

func (m *maker) convert(kind string, c container, out string) {
	m.tb.Helper()
	args := []string{}
	for _, arg := range strings.Fields(c.args) {
		switch arg {
		case "KEY":
			args = append(args, kind+".key")
		case "CERT":
			args = append(args, kind+".pem")
		case "INTER":
			args = append(args, "inter.pem")
		case "CAS":
			args = append(args, "cas.pem")
		case "PASS":
			args = append(args, "-passout", "pass:"+Password)
		default:
			args = append(args, arg)
		}
	}
	m.openssl(append(args, "-out", out)...)
}

// pair completes one: names become paths in the maker's folder.
func (m *maker) pair(kind string, c container, p Pair) Pair {
	m.tb.Helper()
	p.Name, p.Encrypted, p.CAFile = kind+"/"+c.name, c.encrypted, "root.pem"
	if p.Public == nil {
		p.Public = m.read(kind + ".pub")
	}
	for _, file := range []*string{&p.CertFile, &p.KeyFile, &p.InterFile, &p.CAFile} {
		if *file != "" {
			*file = m.path(*file)
		}
	}
	return p
}
