package hostadvice

// takes returns the form of a flag's value, for flags whose name and help do not make it clear.
func takes(flag string) string {
	return map[string]string{
		"session-duration":     "write seconds, such as 3600 for an hour",
		"timeout":              "write a number with a unit, such as 5s or 1m",
		"max-attempts":         "write a number, such as 3",
		"role-session-name":    "write 2 to 64 letters, digits and _+=,.@-, or leave it out",
		"cache":                "write the path of a folder, such as /var/cache/kedge, or leave --cache out",
		"region":               "leave --region out: it is the trust anchor's by default",
		"endpoint":             "write an address such as https://rolesanywhere.eu-west-1.amazonaws.com, without --fips and --dual-stack",
		"port":                 "write a number, such as 9911",
		"address":              "write an address of this machine, such as 127.0.0.1 or ::1; the port is --port",
		"metrics-address":      "write an address with a port, such as 127.0.0.1:9912 or [::1]:9912",
		"log-format":           "write text or json",
		"drain":                "write a number with a unit, such as 10s",
		"aws-region":           "write a region such as eu-west-1",
		"assume-role-arn":      "it looks like arn:aws:iam::111122223333:role/<name>",
		"assume-role-duration": "write 900 to 3600 or leave it out: AWS gives a session that another role's session asks for one hour at most, whatever the role allows",
		"tag":                  "write a key and a value, such as team=storage",
		"transitive-tag":       "write a key and a value, such as team=storage",
		"sts-endpoint":         "write an address such as https://sts.eu-west-1.amazonaws.com, without --fips and --dual-stack",
	}[flag]
}
