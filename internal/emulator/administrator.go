package emulator

import (
	"kedge/internal/emulator/arn"
)

// Administrator returns a user of the default account, which every emulator has besides those of the
// configuration, with its access key: a random one, which a state folder keeps. The user has AWS's policy
// AdministratorAccess.
func (e *Emulator) Administrator() User { return e.administrator }

func (e *Emulator) addAdministrator(c Config) error {
	name := arn.ARN{Partition: arn.PartitionOf(c.Region), Service: "iam", Account: c.Account, Resource: "user/administrator"}.String()
	a, err := e.iam.Administrator(name, c.Now())
	e.administrator = User{ARN: a.ARN, AccessKeyID: a.AccessKeyID, SecretAccessKey: a.SecretAccessKey}
	return err
}
