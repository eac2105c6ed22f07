package emulator

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/json/v2"
	"errors"
	"fmt"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/state"
	"kedge/internal/emulator/wire"
)

// Administrator returns a user of the default account, which every emulator has besides those of the
// configuration, with its access key: a random one, which a state folder keeps.
func (e *Emulator) Administrator() User { return e.administrator }

// administratorKey is the file of the administrator's access key.
type administratorKey struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
}

func (e *Emulator) addAdministrator(c Config) error {
	key, err := openAdministratorKey(c.StateDir)
	if err != nil {
		return err
	}
	name := arn.ARN{Partition: arn.PartitionOf(c.Region), Service: "iam", Account: c.Account, Resource: "user/administrator"}.String()
	e.administrator = User{ARN: name, AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
	return put(e.users, key.AccessKeyID, e.administrator, e.administrator.validate())
}

// openAdministratorKey reads the key of an earlier run, or makes one.
func openAdministratorKey(stateDir string) (key administratorKey, err error) {
	folder, err := state.Open(stateDir, "administrator")
	if err != nil {
		return key, err
	}
	err = folder.Each(func(_ string, content []byte) error {
		if err := json.Unmarshal(content, &key, json.RejectUnknownMembers(true)); err != nil {
			return errors.New("it is not an access key")
		}
		return nil
	})
	if err != nil || key.SecretAccessKey != "" {
		return key, err
	}
	key = administratorKey{
		AccessKeyID:     "AKIA" + base32.StdEncoding.EncodeToString(random(10)),
		SecretAccessKey: base64.StdEncoding.EncodeToString(random(30)),
	}
	return key, folder.Write("key", key)
}

// authorizeCaller decides whether a caller may perform an action of the control plane. Identity
// policies are not evaluated: users may do everything, and sessions of roles nothing.
func authorizeCaller(caller wire.Caller, action, resource string, _ policy.Context) *wire.Error {
	if caller.Role == "" {
		return nil
	}
	return wire.Denied(
		fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action", caller.ARN, action, resource, action),
		"the emulator evaluates no policies of roles; use the key of a user")
}
