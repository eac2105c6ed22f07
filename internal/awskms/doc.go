// Package awskms makes a key in AWS KMS a crypto.Signer.
//
//	client := awskms.NewClient(awskms.DefaultLimits())
//	uri, err := awskms.ParseURI("awskms:key-id=alias/issuing;region=eu-central-1")
//	key, err := client.Open(ctx, uri)
//
// The signer itself is that of go.step.sm/crypto. Around it, this package checks what a key is for when
// it is opened, bounds how many requests are made at once and how long each takes, repeats those that
// KMS was too busy for, and names what went wrong: see Kind.
//
// Credentials, region and endpoint come from where the AWS SDKs have them: the environment and the
// files in ~/.aws. The rights that are needed are kms:GetPublicKey and kms:Sign; to make a key,
// kms:CreateKey and kms:CreateAlias.
//
// Only kedge-ca links it: the SDK and its client of KMS are larger than the rest of kedge.
package awskms
