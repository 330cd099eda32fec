import type { VendorSource } from '../../catalogue.ts'
import { polledSource } from '../../polling/polled-source.ts'
import { USER_AGENT } from '../../user-agent.ts'
import { openVendorAccess } from '../../vendor-access.ts'
import { BASE_URL, EdgarClient, errorOf } from './client.ts'
import { edgarFeeds } from './feeds.ts'
import { SOURCE } from './parse.ts'

const FORMS = ['8-K', '10-Q', '10-K', '4']

/** What companies file with the SEC, within a minute. The SEC wants to know whom to write to: SEC_CONTACT. */
export const secEdgar: VendorSource = {
  name: SOURCE,
  needs: ['SEC_CONTACT'],
  open(context) {
    const { settings, clock, describe } = context
    const { SEC_CONTACT, SEC_FORMS } = settings.variables
    // Half of what the SEC allows one address, because others may ask from it too.
    const windows = [{ kind: 'sliding', requests: 5, perMs: 1_000 }] as const
    const { quota, http } = openVendorAccess(context, {
      name: SOURCE,
      baseUrl: BASE_URL,
      windows,
      userAgent: `${USER_AGENT} ${SEC_CONTACT}`,
      errorOf,
    })
    const client = new EdgarClient(http)
    const feeds = edgarFeeds({ client, forms: formsOf(SEC_FORMS), describe, now: clock.now })
    return polledSource({ name: SOURCE, context, quota, feedsOf: () => feeds })
  },
}

function formsOf(setting: string | undefined): readonly string[] {
  const forms = (setting ?? '').split(',').map((form) => form.trim().toUpperCase())
  const named = [...new Set(forms)].filter((form) => form !== '')
  return named.length > 0 ? named : FORMS
}
