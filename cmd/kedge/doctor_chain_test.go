package main

import (
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http/httptest"

	"kedge/internal/doctor"
	"kedge/internal/enrollclient/enrolltest"
)

// longNames returns so many DNS names, of 40 bytes each in a certificate.
func longNames(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("n%05d.a-long-name-in-the.example.com", i))
	}
	return all
}

// issueBelow has the certificate issued by a CA so many levels below the root, whose certificates, each with so
// many names, are written to chain.pem.
func (s *site) issueBelow(levels, n int) {
	s.t.Helper()
	issuer, chain := s.ca, ""
	for i := range levels {
		key := enrolltest.NewKey(s.t)
		template := &x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign, DNSNames: longNames(n)}
		template.Subject.CommonName = fmt.Sprintf("CA %d", i)
		issuer = &enrolltest.Authority{Certificate: issuer.Issue(s.t, template, key.Public()), Key: key}
		chain += string(pemOf("CERTIFICATE", issuer.Raw))
	}
	s.write("chain.pem", chain)
	s.profile["intermediates"] = "chain.pem"
	s.issueBy(issuer, enrolltest.Unchanged)
}

// behindGateway has the site reach the service by a server that takes headers of 12 kB.
func (s *site) behindGateway() {
	s.t.Helper()
	server := httptest.NewUnstartedServer(s.emulator.Handler())
	server.Config.MaxHeaderBytes, server.Config.ErrorLog = 8<<10, log.New(io.Discard, "", 0)
	server.Start()
	s.t.Cleanup(server.Close)
	s.profile["endpoint"] = server.URL
}

func faultsOfChains() []fault {
	shorter := func(s *site) { s.issueBelow(2, 0) }
	return []fault{
		{name: "a signature with SHA-1", check: "certificate-rules", state: doctor.Failed, code: 4, says: "SHA-256 or stronger", run: "kedge-ca issue web-01",
			set: func(s *site) { s.issue(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 }) }, fix: shorter},
		{name: "a certificate of more than 16 kB", check: "certificate-rules", state: doctor.Failed, code: 4, says: "16384", run: "kedge-ca issue web-01",
			set: func(s *site) { s.issue(func(c *x509.Certificate) { c.DNSNames = longNames(420) }) }, fix: shorter},
		{name: "more intermediates than can be sent", check: "certificate-path", state: doctor.Failed, code: 4, says: "more than 5 intermediates",
			set: func(s *site) { s.issueBelow(6, 0) }, fix: shorter},
		{name: "long headers", check: "certificate-headers", state: doctor.Warning, code: 0, says: "proxies refuse long headers",
			set: func(s *site) { s.issueBelow(3, 250) }, fix: shorter},
		{name: "headers that are too long on the way", check: "session", state: doctor.Failed, code: 1, says: "takes no long headers",
			set: func(s *site) { s.behindGateway(); s.issueBelow(3, 150) }, fix: shorter},
	}
}
