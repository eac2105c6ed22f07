package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	account  = "111122223333"
	region   = "us-east-1"
	profiles = 200
	roles    = 250
)

// config is the configuration of an emulator.
type config struct {
	TrustAnchors []anchor  `json:"trustAnchors"`
	Profiles     []profile `json:"profiles"`
	Roles        []role    `json:"roles"`
}

type anchor struct {
	ARN          string `json:"arn"`
	Certificates string `json:"certificates"`
}

type profile struct {
	ARN string `json:"arn"`
}

type role struct {
	ARN         string          `json:"arn"`
	TrustPolicy json.RawMessage `json:"trustPolicy,omitempty"`
}

func anchorARN() string {
	return "arn:aws:rolesanywhere:" + region + ":" + account + ":trust-anchor/bench"
}

func profileARN(n int) string {
	return "arn:aws:rolesanywhere:" + region + ":" + account + ":profile/" + strconv.Itoa(n)
}

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }

// small has a role with a long trust policy, and one without its own.
func small(ca string) config {
	return config{
		[]anchor{{anchorARN(), ca}}, []profile{{profileARN(0)}},
		[]role{{roleARN("plain"), nil}, {roleARN("twenty"), twentyStatements()}},
	}
}

// large has profiles that list every role.
func large(ca string) config {
	c := config{TrustAnchors: []anchor{{anchorARN(), ca}}}
	for i := range profiles {
		c.Profiles = append(c.Profiles, profile{profileARN(i)})
	}
	for i := range roles {
		c.Roles = append(c.Roles, role{ARN: roleARN(strconv.Itoa(i))})
	}
	return c
}

// twentyStatements is a trust policy of about 2,048 characters, IAM's quota, whose last statement allows the session.
func twentyStatements() json.RawMessage {
	var all []string
	for i := range 20 {
		value := string(rune('a' + i))
		if i == 19 {
			value = "*"
		}
		all = append(all, fmt.Sprintf(`{"Effect":"Allow","Principal":"*","Action":"sts:*","Condition":{"StringLike":{"aws:SourceArn":%q}}}`, value))
	}
	return json.RawMessage(`{"Statement":[` + strings.Join(all, ",") + `]}`)
}

// write writes the configuration into a folder.
func (c config) write(dir string) (path string, err error) {
	data, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "emulator.json")
	return path, os.WriteFile(path, data, 0o600)
}
