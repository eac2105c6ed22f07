// Package settings reads the configuration file of kedge: settings of roles by profile, with
// defaults that they share, and sections for single commands.
//
//	defaults:
//	  certificate: /etc/kedge/web-01.pem
//	profiles:
//	  backup:
//	    role-arn: arn:aws:iam::111122223333:role/backup
//	serve:
//	  port: 9911
//
// The file is YAML as every reader takes it, of one document, without anchors, aliases and tags:
// a value is the text that stands there. package yamlfile reads it, as it does for kedge-ca.
//
// It promises that a key that is there twice or has no value is an error that names file and
// line, and that a file which another user can change is refused: it may name programs to run
// and whom to trust. It does not know which settings there are; whoever uses them checks.
package settings
