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
// The file is YAML, but only its plain part: mappings, lists, and texts on one line, with or
// without quotes. What has another meaning to some reader of YAML - anchors, tags, several
// documents, texts over several lines, tabs - is refused. A reader of all of YAML would cost
// every start of kedge, file or not, 0.14 ms to set up its tables, where all packages together
// take 0.5; in the tests it is the peer: what this package accepts, it reads alike.
//
// It promises that a key that is there twice or has no value is an error that names file and
// line, and that a file which another user can change is refused: it may name programs to run
// and whom to trust. It does not know which settings there are; whoever uses them checks.
package settings
