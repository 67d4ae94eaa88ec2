// Reads what `entente-conformance samples` prints, from standard input, and judges it by
// independent libraries: http-message-signatures (RFC 9421), structured-headers (RFC 9651), jose
// (RFC 7515, 7638) and Node's own hashes. Exits with 1 at the first difference.
import './webcrypto.mjs'
import assert from 'node:assert/strict'
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { httpbis } from 'http-message-signatures'
import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose'
import { parseDictionary, serializeDictionary } from 'structured-headers'

const samples = JSON.parse(readFileSync(0, 'utf8'))
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
const key = createPublicKey({ key: samples.key, format: 'jwk' })
let checks = 0
const check = (actual, expected, what) => {
  assert.deepEqual(actual, expected, what)
  ++checks
}

const headers_of = (fields) => Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]))

// Each field is in the one canonical form of RFC 9651.
function check_fields(fields) {
  for (const name of ['signature', 'signature-input', 'content-digest']) {
    if (fields[name] === undefined) continue
    check(serializeDictionary(parseDictionary(fields[name])), fields[name], name)
  }
}

function check_digest(fields, body) {
  if (body === '') return
  check(fields['content-digest'], `sha-256=:${sha256(body).toString('base64')}:`, 'Content-Digest')
}

const lookup = (keyid) => async () => ({
  id: keyid,
  algs: ['ed25519'],
  verify: async (data, signature) => verify(null, data, key, signature)
})

for (const { request, answer } of samples.messages) {
  const sent = headers_of(request.fields)
  check_fields(sent)
  check_digest(sent, request.body)
  const as_request = { method: request.method, url: `https://chat.a.example${request.target}`, headers: sent }
  const keyid = `b.example#${samples.key.kid}`
  check(
    await httpbis.verifyMessage({ keyLookup: lookup(keyid), all: true, notAfter: new Date(0), tolerance: 1e12 }, as_request),
    true,
    'signature of a request'
  )
  const received = headers_of(answer.fields)
  check_fields(received)
  check_digest(received, answer.body)
  check(
    await httpbis.verifyMessage(
      { keyLookup: lookup(keyid), all: true, notAfter: new Date(0), tolerance: 1e12 },
      { status: answer.status, headers: received },
      as_request
    ),
    true,
    'signature of an answer'
  )
}

check(await calculateJwkThumbprint(samples.key), samples.key.kid, 'thumbprint')
const { protectedHeader, payload } = await compactVerify(samples.root, await importJWK(samples.key, 'Ed25519'))
check(protectedHeader, { alg: 'Ed25519', kid: `b.example#${samples.key.kid}`, typ: 'entente-root' }, 'header of a root')
const leaf_hash = (leaf) => sha256(Buffer.from([0]), leaf)
const node_hash = (left, right) => sha256(Buffer.from([1]), left, right)
check(JSON.parse(Buffer.from(payload)).root, leaf_hash('leaf\n').toString('base64url'), 'root of one leaf')

// RFC 9162 section 2.1.1, by levels in place of by halves: pairs are joined, an odd last one goes up.
function tree_of(leaves) {
  let level = leaves.map(leaf_hash)
  while (level.length > 1) {
    const above = []
    for (let at = 0; at < level.length; at += 2)
      above.push(at + 1 < level.length ? node_hash(level[at], level[at + 1]) : level[at])
    level = above
  }
  return level[0]
}

function path_of(leaves, index) {
  let level = leaves.map(leaf_hash)
  const path = []
  while (level.length > 1) {
    const beside = index ^ 1
    if (beside < level.length) path.push(level[beside].toString('base64url'))
    const above = []
    for (let at = 0; at < level.length; at += 2)
      above.push(at + 1 < level.length ? node_hash(level[at], level[at + 1]) : level[at])
    level = above
    index >>= 1
  }
  return path
}

for (const tree of samples.trees) {
  check(tree.root, tree_of(tree.leaves).toString('base64url'), `tree of ${tree.leaves.length}`)
  tree.proofs.forEach((proof, index) => {
    check(proof, { root: 0, index, path: path_of(tree.leaves, index) }, `path ${index} of ${tree.leaves.length}`)
  })
}

const named = (prefix, octets) => sha256(`${prefix}\n`, octets).toString('base64url')
check(samples.event.id, named('entente-event-v1', samples.event.octets), 'event id')
check(
  JSON.parse(samples.event.octets).content,
  named('entente-content-v1', samples.event.content),
  'content hash'
)

const { log } = samples
const entry = (seq, before) =>
  sha256(`entente-log-v1\n${log.channel}\n${log.epoch}\n${seq}\n${log.at}\n${before}\n${log.event}\n`).toString('base64url')
check(log.first, entry(1, ''), 'entry hash')
check(log.second, entry(2, log.first), 'entry hash behind another')
check(log.seal, `entente-seal-v1\n${log.channel}\n${log.event}\n${log.event}\n`, 'seal')
check(log.checkpoint, `entente-checkpoint-v1\n${log.channel}\n1\n1\n${log.first}\n`, 'checkpoint')
const state = named('entente-state-v1', log.state)
check(log.snapshot, `entente-snapshot-v1\n${log.channel}\n1\n1\n${log.first}\n${log.at}\n${state}\n`, 'snapshot')

console.log(`${checks} checks by independent libraries: all agree`)
