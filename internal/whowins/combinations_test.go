package whowins

// combination is an environment with its files. {bin} and the like stand for what the test serves.
type combination struct {
	name        string
	env         string // words NAME=VALUE, and NAME for a variable that is not set
	config      string // of ~/.aws/config
	credentials string // of ~/.aws/credentials
	profile     string // in code, or by --profile
	without     string // tools with which it is not run, and why
}

const (
	envKeys  = "AWS_ACCESS_KEY_ID=ENV AWS_SECRET_ACCESS_KEY=s "
	envToken = "AWS_WEB_IDENTITY_TOKEN_FILE={token} AWS_ROLE_ARN=arn:aws:iam::111122223333:role/env "
	endpoint = "AWS_CONTAINER_CREDENTIALS_FULL_URI={container} "
	off      = "AWS_EC2_METADATA_DISABLED=true "
	useP     = "AWS_PROFILE=p "

	kedgeP    = "credential_process = {bin}/p/kedge credential-process\n"
	kedgeQ    = "credential_process = {bin}/q/kedge credential-process\n"
	otherP    = "credential_process = {bin}/p/other --token hunter2\n"
	confKeys  = "aws_access_key_id = CONF\naws_secret_access_key = hunter2\n"
	credKeys  = "aws_access_key_id = CRED\naws_secret_access_key = hunter2\naws_session_token = hunter3\n"
	roleP     = "role_arn = arn:aws:iam::111122223333:role/p\n"
	tokenP    = roleP + "web_identity_token_file = {token}\n"
	ssoLegacy = "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 111122223333\nsso_role_name = r\n"
	session   = "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://x.awsapps.com/start\n"

	tooOld = "AWS CLI 2, boto3: those of Debian 12 are older than aws login"
)

func combinations() []combination {
	var all []combination
	for _, each := range [][]combination{plain(), profiles(), roles(), tokens(), endpoints(), files(), spellings()} {
		all = append(all, each...)
	}
	return all
}

func plain() []combination {
	return []combination{
		{name: "nothing"},
		{name: "nothing, metadata disabled", env: off},
		{name: "environment", env: envKeys},
		{name: "id without secret", env: "AWS_ACCESS_KEY_ID=ENV", config: "[default]\n" + kedgeP},
		{name: "secret without id", env: "AWS_SECRET_ACCESS_KEY=s", config: "[default]\n" + kedgeP},
		{name: "empty id", env: "AWS_ACCESS_KEY_ID= AWS_SECRET_ACCESS_KEY=", config: "[default]\n" + kedgeP},
		{name: "token alone", env: "AWS_SESSION_TOKEN=hunter2", config: "[default]\n" + kedgeP},
		{name: "older names", env: "AWS_ACCESS_KEY=ENV AWS_SECRET_KEY=s", config: "[default]\n" + kedgeP},
		{name: "environment, default", env: envKeys, config: "[default]\n" + kedgeP},
		{name: "environment, AWS_PROFILE", env: envKeys + useP, config: "[profile p]\n" + kedgeP},
		{name: "environment, AWS_DEFAULT_PROFILE", env: envKeys + "AWS_DEFAULT_PROFILE=p", config: "[profile p]\n" + kedgeP},
		{name: "environment, profile in code", env: envKeys, profile: "p", config: "[profile p]\n" + kedgeP},
		{name: "environment, no such profile", env: envKeys + useP, config: "[default]\n" + kedgeP},
		{name: "environment, profile with an error", env: envKeys + useP, config: "[profile p]\n" + roleP + "source_profile = none\n[default]\n" + kedgeP},
	}
}

func profiles() []combination {
	both := "[profile p]\n" + kedgeP + "[profile q]\n" + confKeys
	return []combination{
		{name: "default", config: "[default]\n" + kedgeP},
		{name: "other default", config: "[default]\n" + otherP + "[profile q]\n" + kedgeQ},
		{name: "AWS_PROFILE", env: useP, config: both},
		{name: "AWS_DEFAULT_PROFILE", env: "AWS_DEFAULT_PROFILE=p", config: both},
		{name: "AWS_PROFILE and AWS_DEFAULT_PROFILE", env: useP + "AWS_DEFAULT_PROFILE=q", config: both},
		{name: "the other way round", env: "AWS_PROFILE=q AWS_DEFAULT_PROFILE=p", config: both},
		{name: "empty AWS_PROFILE", env: "AWS_PROFILE=", config: "[default]\n" + kedgeP},
		{name: "empty AWS_DEFAULT_PROFILE", env: "AWS_DEFAULT_PROFILE=", config: "[default]\n" + kedgeP},
		{name: "AWS_PROFILE, empty AWS_DEFAULT_PROFILE", env: useP + "AWS_DEFAULT_PROFILE=", config: both},
		{name: "no such AWS_PROFILE", env: useP, config: "[default]\n" + kedgeP},
		{name: "no such AWS_DEFAULT_PROFILE", env: "AWS_DEFAULT_PROFILE=p", config: "[default]\n" + kedgeP},
		{name: "profile in code", env: "AWS_PROFILE=q", profile: "p", config: both},
		{name: "no such profile in code", profile: "r", config: both},
		{name: "AWS_PROFILE=default", env: "AWS_PROFILE=default", config: "[default]\n" + kedgeP},
		{name: "AWS_PROFILE=default, none", env: "AWS_PROFILE=default"},
		{name: "another profile", env: useP, config: "[profile p]\n" + confKeys + "[profile q]\n" + kedgeQ},
		{name: "profile without credentials", env: useP, config: "[profile p]\nregion = us-east-1\n[profile q]\n" + kedgeQ},
		{name: "process in the credentials file", credentials: "[default]\n" + kedgeP},
		{name: "process in both files", config: "[default]\n" + otherP, credentials: "[default]\n" + kedgeP},
		{name: "other process in the credentials file", config: "[default]\n" + kedgeP, credentials: "[default]\n" + otherP},
		{name: "keys in both files", config: "[default]\n" + confKeys, credentials: "[default]\n" + credKeys},
		{name: "keys of the same name in credentials", env: useP, config: "[profile p]\n" + kedgeP, credentials: "[p]\n" + credKeys + "[q]\n" + credKeys},
		{name: "keys beside the process", config: "[default]\n" + kedgeP + confKeys},
		{name: "keys in config, process in credentials", config: "[default]\n" + confKeys, credentials: "[default]\n" + kedgeP},
		{name: "id without secret in credentials", config: "[default]\n" + kedgeP, credentials: "[default]\naws_access_key_id = CRED\n"},
		{name: "secret without id in credentials", config: "[default]\n" + kedgeP, credentials: "[default]\naws_secret_access_key = s\n"},
		{name: "id without secret in config", config: "[default]\n" + kedgeP + "aws_access_key_id = CONF\n"},
		{name: "id in config, secret in credentials", config: "[default]\naws_access_key_id = CONF\n", credentials: "[default]\naws_secret_access_key = s\n"},
		{name: "temporary keys", credentials: "[default]\naws_access_key_id = ASIACRED\naws_secret_access_key = s\naws_session_token = t\n"},
		{name: "SSO", config: "[default]\n" + ssoLegacy},
		{name: "SSO with a session", env: useP, config: "[profile p]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\n" + session},
		{name: "SSO beside the process", config: "[default]\n" + ssoLegacy + kedgeP},
		{name: "SSO beside keys", config: "[default]\n" + ssoLegacy, credentials: "[default]\n" + credKeys},
		{name: "login", config: "[default]\nlogin_session = arn:aws:iam::111122223333:user/me\n", without: tooOld},
		{name: "login beside the process", config: "[default]\nlogin_session = arn:aws:iam::111122223333:user/me\n" + kedgeP, without: tooOld},
	}
}

func roles() []combination {
	from := func(source string) string { return "[profile p]\n" + roleP + "source_profile = " + source + "\n" }
	named := func(source string) string { return "[profile p]\n" + roleP + "credential_source = " + source + "\n" }
	return []combination{
		{name: "role from keys", env: useP, config: from("q"), credentials: "[q]\n" + credKeys},
		{name: "role from the process", env: useP, config: from("q") + "[profile q]\n" + kedgeQ},
		{name: "role from the process and keys", env: useP, config: from("q") + "[profile q]\n" + kedgeQ, credentials: "[q]\n" + credKeys},
		{name: "role in credentials", env: useP, credentials: "[p]\n" + roleP + "source_profile = q\n[q]\n" + credKeys},
		{name: "role from another role", env: useP, config: from("q") + "[profile q]\nrole_arn = arn:aws:iam::111122223333:role/q\nsource_profile = r\n[profile r]\n" + kedgeQ},
		{name: "role from a source with role and keys", env: useP, config: from("q") + "[profile q]\nrole_arn = arn:aws:iam::111122223333:role/q\nsource_profile = r\n" + confKeys + "[profile r]\n" + kedgeQ},
		{name: "role in a circle", env: useP, config: from("q") + "[profile q]\nrole_arn = arn:aws:iam::111122223333:role/q\nsource_profile = p\n"},
		{name: "role from itself with keys", env: useP, config: from("p") + confKeys},
		{name: "role from itself", env: useP, config: from("p")},
		{name: "role from itself with the process", env: useP, config: from("p") + kedgeP},
		{name: "role from no profile", env: useP, config: from("none") + "[profile q]\n" + kedgeQ},
		{name: "role from a profile without credentials", env: useP, config: from("q") + "[profile q]\nregion = us-east-1\n"},
		{name: "role beside the process", env: useP, config: from("q") + kedgeP + "[profile q]\n" + confKeys},
		{name: "role beside keys", env: useP, config: from("q") + confKeys + "[profile q]\n" + kedgeQ},
		{name: "role alone", env: useP, config: "[profile p]\n" + roleP},
		{name: "role and keys alone", env: useP, config: "[profile p]\n" + roleP + confKeys},
		{name: "role and process alone", env: useP, config: "[profile p]\n" + roleP + kedgeP},
		{name: "source_profile alone", env: useP, config: "[profile p]\nsource_profile = q\n" + kedgeP + "[profile q]\n" + confKeys},
		{name: "role and both sources", env: useP + envKeys, config: from("q") + "credential_source = Environment\n[profile q]\n" + kedgeQ},
		{name: "role from the environment", env: useP + envKeys, config: named("Environment") + "[profile q]\n" + kedgeQ},
		{name: "role from the environment, default", env: envKeys, config: "[default]\nrole_arn = arn:aws:iam::111122223333:role/default\ncredential_source = Environment\n"},
		{name: "role from an empty environment", env: useP, config: named("Environment")},
		{name: "role from the metadata service", env: useP, config: named("Ec2InstanceMetadata")},
		{name: "role from the metadata service, disabled", env: useP + off, config: named("Ec2InstanceMetadata"), without: "AWS SDK for JavaScript v3: it asks the service all the same"},
		{name: "role from the container endpoint", env: useP + endpoint, config: named("EcsContainer")},
		{name: "role from no container endpoint", env: useP, config: named("EcsContainer")},
		{name: "role from an unknown source", env: useP, config: named("Kedge")},
		{name: "credential_source alone", env: useP + envKeys, config: "[profile p]\ncredential_source = Environment\n" + kedgeP},
		{name: "role from a source with credential_source alone", env: useP + envKeys, config: from("q") + "[profile q]\ncredential_source = Environment\n"},
		{name: "role, profile in code", env: envKeys, profile: "p", config: from("q") + "[profile q]\n" + kedgeQ},
	}
}

func tokens() []combination {
	return []combination{
		{name: "token", env: envToken},
		{name: "token and keys", env: envToken + envKeys},
		{name: "token and default", env: envToken, config: "[default]\n" + kedgeP},
		{name: "token and AWS_PROFILE", env: envToken + useP, config: "[profile p]\n" + kedgeP},
		{name: "token and profile in code", env: envToken, profile: "p", config: "[profile p]\n" + kedgeP},
		{name: "token and profile of a role", env: envToken + useP, config: "[profile p]\n" + roleP + "source_profile = q\n[profile q]\n" + kedgeQ},
		{name: "token without role", env: "AWS_WEB_IDENTITY_TOKEN_FILE={token}", config: "[default]\n" + kedgeP},
		{name: "role without token", env: "AWS_ROLE_ARN=arn:aws:iam::111122223333:role/env", config: "[default]\n" + kedgeP},
		{name: "empty token", env: "AWS_WEB_IDENTITY_TOKEN_FILE=", config: "[default]\n" + kedgeP},
		{name: "token and container", env: envToken + endpoint},
		{name: "token of a profile", env: useP, config: "[profile p]\n" + tokenP},
		{name: "token of a profile and of the environment", env: useP + envToken, config: "[profile p]\n" + tokenP},
		{name: "token of a profile and keys", env: useP, config: "[profile p]\n" + tokenP, credentials: "[p]\n" + credKeys},
		{name: "token of a profile and process", env: useP, config: "[profile p]\n" + tokenP + kedgeP},
		{name: "token of a profile without role", env: useP, config: "[profile p]\nweb_identity_token_file = {token}\n" + kedgeP},
		{name: "role from a profile with a token", env: useP, config: "[profile p]\n" + roleP + "source_profile = q\n[profile q]\nrole_arn = arn:aws:iam::111122223333:role/q\nweb_identity_token_file = {token}\n"},
	}
}

func endpoints() []combination {
	return []combination{
		{name: "container", env: endpoint},
		{name: "container and keys", env: endpoint + envKeys},
		{name: "container and default keys", env: endpoint, credentials: "[default]\n" + credKeys},
		{name: "container and default keys in config", env: endpoint, config: "[default]\n" + confKeys},
		{name: "container and default keys in both files", env: endpoint, config: "[default]\n" + confKeys, credentials: "[default]\n" + credKeys},
		{name: "container and default keys, AWS_PROFILE=default", env: endpoint + "AWS_PROFILE=default", credentials: "[default]\n" + credKeys},
		{name: "container and default process", env: endpoint, config: "[default]\n" + kedgeP},
		{name: "container and AWS_PROFILE", env: endpoint + useP, config: "[profile p]\n" + confKeys},
		{name: "container and a profile without credentials", env: endpoint + useP, config: "[profile p]\nregion = us-east-1\n"},
		{name: "container and no such profile", env: endpoint + useP},
		{name: "container, metadata disabled", env: endpoint + off},
		{name: "metadata disabled, in capitals", env: "AWS_EC2_METADATA_DISABLED=TRUE"},
		{name: "metadata disabled, 1", env: "AWS_EC2_METADATA_DISABLED=1"},
		{name: "metadata not disabled", env: "AWS_EC2_METADATA_DISABLED=false"},
		{name: "metadata service and default keys", credentials: "[default]\n" + credKeys},
		{name: "metadata service and AWS_PROFILE", env: useP, config: "[profile p]\n" + ssoLegacy},
		{name: "metadata service of a profile", env: useP + "AWS_EC2_METADATA_SERVICE_ENDPOINT", config: "[profile p]\nec2_metadata_service_endpoint = {second}\n"},
		{name: "metadata service of default", env: "AWS_EC2_METADATA_SERVICE_ENDPOINT", config: "[default]\nec2_metadata_service_endpoint = {second}\n"},
		{name: "metadata service of a role", env: useP + "AWS_EC2_METADATA_SERVICE_ENDPOINT", config: "[profile p]\nec2_metadata_service_endpoint = {second}\n" + roleP + "credential_source = Ec2InstanceMetadata\n"},
		{name: "metadata service of another profile", env: useP, config: "[profile p]\n" + confKeys + "[profile q]\nec2_metadata_service_endpoint = {second}\n"},
		{name: "metadata service of the environment and a profile", env: useP, config: "[profile p]\nec2_metadata_service_endpoint = {second}\n"},
	}
}

func files() []combination {
	return []combination{
		{name: "AWS_CONFIG_FILE", env: "AWS_CONFIG_FILE={home}/other", config: "[default]\n" + otherP},
		{name: "AWS_SHARED_CREDENTIALS_FILE", env: "AWS_SHARED_CREDENTIALS_FILE={home}/other", credentials: "[default]\n" + credKeys},
		{name: "AWS_CONFIG_FILE of nothing", env: "AWS_CONFIG_FILE={home}/none", config: "[default]\n" + kedgeP},
		{name: "AWS_CONFIG_FILE with a tilde", env: "AWS_CONFIG_FILE=~/other", config: "[default]\n" + otherP},
		{name: "empty AWS_CONFIG_FILE", env: "AWS_CONFIG_FILE=", config: "[default]\n" + kedgeP},
		{name: "empty AWS_SHARED_CREDENTIALS_FILE", env: "AWS_SHARED_CREDENTIALS_FILE=", credentials: "[default]\n" + kedgeP},
		{name: "config with a line of nothing", config: "[default]\n" + kedgeP + "hunter2\n"},
		{name: "config with a line before", config: "region = us-east-1\n[default]\n" + kedgeP},
		{name: "config with a section twice", config: "[default]\n" + kedgeP + "[default]\nregion = us-east-1\n"},
		{name: "config with a key twice", config: "[default]\n" + otherP + kedgeP},
		{name: "broken credentials", env: envKeys, config: "[default]\n" + kedgeP, credentials: "hunter2\n"},
		{name: "byte order mark", config: "\ufeff[default]\n" + kedgeP},
		{name: "not UTF-8", config: "[default]\n# \xe9\n" + kedgeP},
		{name: "not UTF-8 in credentials", config: "[default]\n" + kedgeP, credentials: "[other]\nregion = \xe9\n"},
		{name: "CRLF", config: "[default]\r\nregion = us-east-1\r\ncredential_process = {bin}/p/kedge x\r\n"},
	}
}

func spellings() []combination {
	return []combination{
		{name: "section without profile", env: useP, config: "[p]\n" + kedgeP},
		{name: "section with profile in credentials", env: useP, credentials: "[profile p]\n" + kedgeP},
		{name: "section with spaces", env: useP, config: "[ profile p ]\n" + kedgeP},
		{name: "section with two spaces", env: useP, config: "[profile  p]\n" + kedgeP},
		{name: "section in quotes", env: useP, config: "[profile \"p\"]\n" + kedgeP},
		{name: "section with a comment", env: useP, config: "[profile p] # mine\n" + kedgeP},
		{name: "profile default", config: "[default]\n" + otherP + "[profile default]\n" + kedgeP},
		{name: "default in capitals", config: "[Default]\n" + kedgeP},
		{name: "key in capitals", config: "[default]\nCREDENTIAL_PROCESS = {bin}/p/kedge x\n"},
		{name: "colon", config: "[default]\ncredential_process: {bin}/p/kedge x\n"},
		{name: "indented", config: "[default]\nregion = us-east-1\n  credential_process = {bin}/p/kedge x\n"},
		{name: "comment behind the line", config: "[default]\ncredential_process = {bin}/p/kedge x # mine\n"},
		{name: "quoted program", config: "[default]\ncredential_process = \"{bin}/p/kedge\" credential-process x\n"},
		{name: "quoted program and last word", config: "[default]\ncredential_process = \"{bin}/p/kedge\" credential-process \"x\"\n"},
		{name: "space in the program", config: "[default]\ncredential_process = '{bin}/a space/kedge' x\n"},
		{name: "link named aws_signing_helper", config: "[default]\ncredential_process = {bin}/p/aws_signing_helper credential-process\n"},
	}
}
