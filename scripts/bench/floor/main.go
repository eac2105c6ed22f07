// Command floor is the floor for "kedge credential-process": the least program that loads a
// P-256 PEM pair, signs a CreateSession request, posts it and prints the credentials. It
// checks nothing.
//
// usage: floor CERTIFICATE KEY ENDPOINT REGION PROFILE-ARN ROLE-ARN TRUST-ANCHOR-ARN
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 7 {
		return fmt.Errorf("seven arguments are needed")
	}
	leaf, key, err := load(args[0], args[1])
	if err != nil {
		return err
	}
	region := args[3]
	query := "profileArn=" + url.QueryEscape(args[4]) + "&roleArn=" + url.QueryEscape(args[5]) + "&trustAnchorArn=" + url.QueryEscape(args[6])
	body := []byte(`{"durationSeconds":3600}`)
	req, err := http.NewRequest("POST", args[2]+"/sessions?"+query, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if err := sign(req, body, region, leaf, key); err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var out struct {
		CredentialSet []struct {
			Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || len(out.CredentialSet) != 1 {
		return fmt.Errorf("status %s: %v", resp.Status, err)
	}
	c := out.CredentialSet[0].Credentials
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"Version": 1, "AccessKeyId": c.AccessKeyId, "SecretAccessKey": c.SecretAccessKey,
		"SessionToken": c.SessionToken, "Expiration": c.Expiration,
	})
}

func load(certPath, keyPath string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	certPEM, err := os.ReadFile(certPath)
	if err != nil {
		return nil, nil, err
	}
	keyPEM, err := os.ReadFile(keyPath)
	if err != nil {
		return nil, nil, err
	}
	certBlock, _ := pem.Decode(certPEM)
	keyBlock, _ := pem.Decode(keyPEM)
	if certBlock == nil || keyBlock == nil {
		return nil, nil, fmt.Errorf("not PEM")
	}
	leaf, err := x509.ParseCertificate(certBlock.Bytes)
	if err != nil {
		return nil, nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(keyBlock.Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, nil, fmt.Errorf("not an EC key")
	}
	return leaf, key, nil
}

func sign(req *http.Request, body []byte, region string, leaf *x509.Certificate, key *ecdsa.PrivateKey) error {
	now := time.Now().UTC().Format("20060102T150405Z")
	cert := base64.StdEncoding.EncodeToString(leaf.Raw)
	bodyHash := sha256.Sum256(body)
	const names = "content-type;host;x-amz-date;x-amz-x509"
	canonical := sha256.Sum256([]byte(strings.Join([]string{"POST", "/sessions", req.URL.RawQuery,
		"content-type:application/json", "host:" + req.URL.Host, "x-amz-date:" + now, "x-amz-x509:" + cert, "",
		names, hex.EncodeToString(bodyHash[:])}, "\n")))
	scope := now[:8] + "/" + region + "/rolesanywhere/aws4_request"
	digest := sha256.Sum256([]byte("AWS4-X509-ECDSA-SHA256\n" + now + "\n" + scope + "\n" + hex.EncodeToString(canonical[:])))
	sig, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Date", now)
	req.Header.Set("X-Amz-X509", cert)
	req.Header.Set("Authorization", fmt.Sprintf("AWS4-X509-ECDSA-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x", leaf.SerialNumber, scope, names, sig))
	return nil
}
