package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/est"
	"kedge/scripts/bench/workload"
	"kedge/signer"
)

// enrollments makes a key for each token, and the message that enrolls a host with it.
func enrollments(tokens []enrollapi.Token) (keys []crypto.Signer, messages [][]byte, err error) {
	keys, messages = make([]crypto.Signer, len(tokens)), make([][]byte, len(tokens))
	_, err = workload.Run(len(tokens), func(i int) error {
		key, request, err := newRequest(nil)
		if err != nil {
			return err
		}
		keys[i] = key
		messages[i], err = json.Marshal(enrollapi.EnrollRequest{
			Token: enrollapi.TokenProof{ID: tokens[i].ID[:], Secret: tokens[i].Secret}, Request: request, KeyPlace: enrollapi.InFile,
		})
		return err
	})
	return keys, messages, err
}

// devices makes a key for each token, and what enrolls a device with it by EST: the body, and the header.
func devices(tokens []enrollapi.Token) (messages [][]byte, heads []string, err error) {
	messages, heads = make([][]byte, len(tokens)), make([]string, len(tokens))
	_, err = workload.Run(len(tokens), func(i int) error {
		_, request, err := newRequest(nil)
		messages[i] = est.Flat(request)
		heads[i] = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(":"+tokens[i].String())) + "\r\n"
		return err
	})
	return messages, heads, err
}

// renewals makes the next key of each host, and the message that renews its certificate.
func renewals(keys []crypto.Signer, answers [][]byte, ca [32]byte) (messages [][]byte, err error) {
	messages = make([][]byte, len(keys))
	_, err = workload.Run(len(keys), func(i int) error {
		var answer enrollapi.Answer
		if err := json.Unmarshal(answers[i], &answer); err != nil {
			return err
		}
		leaf, err := x509.ParseCertificate(answer.Certificate)
		if err != nil {
			return err
		}
		_, request, err := newRequest(leaf.RawSubject)
		if err != nil {
			return err
		}
		proof, err := enrollapi.Prove(signer.Possession{Path: enrollapi.PathRenew, Audience: ca, Leaf: leaf, Body: request, At: time.Now()}, keys[i])
		if err != nil {
			return err
		}
		messages[i], err = json.Marshal(enrollapi.RenewRequest{Proof: proof, Request: request, KeyPlace: enrollapi.InFile})
		return err
	})
	return messages, err
}

func newRequest(subject []byte) (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{RawSubject: subject}, key)
	return key, der, err
}
