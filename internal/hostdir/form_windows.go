package hostdir

// canLink reports whether users without special rights can make links.
const canLink = false
