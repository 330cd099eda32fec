import { expect, test } from 'vitest'
import { partTroubles } from './part-troubles.ts'

test('a part that is well again does not hide the trouble of another', () => {
  const told: (string | undefined)[] = []
  const troublesOf = partTroubles((trouble) => told.push(trouble))
  const [stream, feeds] = [troublesOf('stream'), troublesOf('feeds')]
  stream('lost its stream')
  feeds('could not be asked')
  stream(undefined)
  feeds(undefined)
  expect(told).toEqual(['lost its stream', 'lost its stream; could not be asked', 'could not be asked', undefined])
})
