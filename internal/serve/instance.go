package serve

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"runtime"
	"strings"
	"time"
)

const iamPath = "/latest/meta-data/iam/"

// instance returns what the metadata service has besides credentials, by path.
func instance(r Role, started time.Time) map[string]*body {
	words := map[string]*body{
		iamPath + "security-credentials":           newText(r.Name),
		iamPath + "security-credentials/":          newText(r.Name),
		iamPath + "security-credentials-extended":  newText(r.Name),
		iamPath + "security-credentials-extended/": newText(r.Name),
	}
	if r.ARN != "" {
		words[iamPath+"info"] = newBody(textType, instanceProfile(r, started))
	}
	if r.Region != "" {
		words["/latest/meta-data/placement/region"] = newText(r.Region)
		words["/latest/meta-data/placement/availability-zone"] = newText(zone(r))
		words["/latest/dynamic/instance-identity/document"] = newBody(textType, identityDocument(r, started))
	}
	return words
}

// zone returns a zone that every region has. The true one is not known; programs cut off its letter
// to get the region.
func zone(r Role) string { return r.Region + "a" }

// instanceProfile returns the document iam/info, with an instance profile named as the role, as the
// console creates them.
func instanceProfile(r Role, started time.Time) []byte {
	hash := sha256.Sum256([]byte(r.ARN))
	return mustJSON(struct {
		Code               string
		LastUpdated        string
		InstanceProfileARN string `json:"InstanceProfileArn"`
		InstanceProfileID  string `json:"InstanceProfileId"`
	}{
		"Success", started.UTC().Format(time.RFC3339), strings.Replace(r.ARN, ":role/", ":instance-profile/", 1),
		"AIPA" + base32.StdEncoding.EncodeToString(hash[:])[:17],
	})
}

// identityDocument returns those fields of EC2's document that are true here (EC2 User Guide,
// "Instance identity documents").
func identityDocument(r Role, started time.Time) []byte {
	architecture := runtime.GOARCH
	if architecture == "amd64" {
		architecture = "x86_64"
	}
	account := ""
	if parts := strings.Split(r.ARN, ":"); len(parts) > 4 {
		account = parts[4]
	}
	return mustJSON(struct {
		AccountID        string `json:"accountId,omitempty"`
		Architecture     string `json:"architecture"`
		AvailabilityZone string `json:"availabilityZone"`
		PendingTime      string `json:"pendingTime"`
		Region           string `json:"region"`
		Version          string `json:"version"`
	}{account, architecture, zone(r), started.UTC().Format(time.RFC3339), r.Region, "2017-09-30"})
}

// mustJSON encodes a struct of strings, which cannot fail.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}
