// Compares the decisions in the tables of internal/emulator/policy/testdata with those of iam-simulate.
// usage: node compare.mjs TESTDATA DIFFERENCES AGREEMENT
import fs from 'node:fs'
import path from 'node:path'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

const [testdata, differencesFile, agreementFile] = process.argv.slice(2)
const account = '111122223333'
const role = `arn:aws:iam::${account}:role/app`
const outcomes = { Allowed: 'allowed', ImplicitlyDenied: 'implicit deny', ExplicitlyDenied: 'explicit deny' }

const table = (name) =>
  JSON.parse(fs.readFileSync(path.join(testdata, name))).flatMap((group) =>
    group.cases.map((c) => ({ ...c, title: `${name.replace('.json', '')}: ${group.source}: ${c.name}` })),
  )
const named = (policies) => policies.map((policy, i) => ({ name: `policy${i}`, policy }))

const without = { identityPolicies: [], serviceControlPolicies: [], resourceControlPolicies: [] }
const brief = (message) => `error: ${String(message).split('\n')[0].slice(0, 80)}`

// simulate returns what the other evaluator decides, in our words. It drops keys that the Service
// Authorization Reference does not list for the action, and refuses what it takes for malformed.
async function simulate(request, policies) {
  const result = await runSimulation({ request, ...without, ...policies }, {})
  return result.resultType === 'error' ? brief(JSON.stringify(result.errors)) : outcomes[result.overallResult]
}

// compare is simulate with every key, and without its checks.
function compare(request, policies) {
  try {
    return outcomes[runUnsafeSimulation({ request, ...without, ...policies }, {})]
  } catch (error) {
    return brief(error.message)
  }
}

const statement = (condition) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: condition })

function condition(c) {
  const request = { principal: `arn:aws:iam::${account}:user/bob`, action: 's3:GetObject', resource: { resource: 'arn:aws:s3:::b/x', accountId: account }, contextVariables: c.context }
  const document = { Version: c.version ?? '2012-10-17', Statement: [statement(c.condition)] }
  return [{ ours: c.met ? 'allowed' : 'implicit deny', theirs: compare(request, { identityPolicies: named([document]) }) }]
}

async function permission(c) {
  const request = { principal: `arn:aws:iam::${account}:user/bob`, action: c.action, resource: { resource: c.resource, accountId: account }, contextVariables: c.context ?? {} }
  const policies = { identityPolicies: named(c.identity) }
  let decide = compare
  if (c.boundary) policies.permissionBoundaryPolicies = named([c.boundary])
  // It has one session policy, and takes it for sessions only.
  if (c.session?.length > 1) return []
  if (c.session) {
    policies.sessionPolicy = c.session[0]
    request.principal = `arn:aws:sts::${account}:assumed-role/app/s`
    decide = simulate
  }
  return [{ ours: c.want, theirs: await decide(request, policies) }]
}

// trust asks for each action. All keys are given to all of them: which action has which is for the
// other side to decide.
async function trust(c) {
  const tags = c.tags ?? {
    'x509Subject/CN': 'web-01', 'x509Subject/OU': 'batch/night', 'x509Issuer/CN': 'Example CA',
    'x509SAN/URI': 'spiffe://ex.com/wl/web-01', 'x509SAN/DNS': 'web-01.example.com',
  }
  const identity = c.sourceIdentity ?? 'CN=web-01'
  const prefixed = (prefix) => Object.fromEntries(Object.entries(tags).map(([key, value]) => [prefix + key, value]))
  const keys = {
    'aws:SourceArn': 'arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001',
    'aws:SourceAccount': account, 'aws:CurrentTime': '2026-11-29T12:00:00Z', 'aws:EpochTime': '1795953600',
    'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': 'rolesanywhere.amazonaws.com',
    'aws:SecureTransport': 'true', 'aws:RequestedRegion': 'eu-central-1',
    'sts:RoleSessionName': c.sessionName ?? '6b656467', ...prefixed('aws:PrincipalTag/'), ...prefixed('aws:RequestTag/'),
  }
  if (Object.keys(tags).length) keys['aws:TagKeys'] = Object.keys(tags)
  if (identity) keys['sts:SourceIdentity'] = identity
  const answers = []
  for (const [action, ours] of Object.entries(c.want)) {
    const request = { principal: 'rolesanywhere.amazonaws.com', action, resource: { resource: role, accountId: account }, contextVariables: keys }
    answers.push({ action, ours, theirs: await simulate(request, { resourcePolicy: c.policy }) })
  }
  return answers
}

const explained = JSON.parse(fs.readFileSync(differencesFile))
const used = new Set()
const lines = []
let failed = 0
let same = 0
let different = 0
let left = 0
for (const [name, decide] of [['conditions.json', condition], ['permissions.json', permission], ['trust.json', trust]]) {
  for (const c of table(name)) {
    const answers = await decide(c)
    if (answers.length === 0) left++
    for (const a of answers) {
      const title = a.action ? `${c.title} (${a.action})` : c.title
      if (a.ours === a.theirs) {
        same++
        lines.push(`same       ${a.ours.padEnd(13)}  ${title}`)
        continue
      }
      different++
      const why = explained.find((e) => title.startsWith(e.case))
      if (why) used.add(why)
      else failed++
      lines.push(`different  ${a.ours.padEnd(13)}  ${title}\n           theirs: ${a.theirs}; ${why ? why.why : 'NOT EXPLAINED'}`)
      if (!why) console.error(`policy-peer: not explained: ${title}: ours ${a.ours}, theirs ${a.theirs}`)
    }
  }
}
for (const e of explained.filter((e) => !used.has(e))) {
  failed++
  console.error(`policy-peer: explained, but no difference: ${e.case}`)
}
const summary = `${same} decisions are the same, ${different} differ, ${left} cases cannot be expressed (several session policies)`
fs.writeFileSync(agreementFile, `Decisions of internal/emulator/policy and of @cloud-copilot/iam-simulate 0.1.173, written by\nscripts/policy-peer/run. ${summary}.\n\n${lines.join('\n')}\n`)
console.log(summary)
process.exitCode = failed ? 1 : 0
