// What a plain script does: one upsert for each conversation, so many at once. For the benchmark `flow`.
const { Connection, OAuth2 } = require('jsforce');

const [address, count, atOnce] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];

async function main() {
  const oauth2 = new OAuth2({ loginUrl: address, clientId: 'app', clientSecret: 'shh' });
  const started = performance.now();
  const { access_token: accessToken } = await oauth2.refreshToken('acme-refresh');
  const org = new Connection({ oauth2, instanceUrl: address, accessToken, version: '59.0' });
  const queue = await org.query("SELECT Id FROM Group WHERE Type = 'Queue' AND DeveloperName = 'Finance'");
  let next = 1;
  let refused = 0;
  async function worker() {
    while (next <= count) {
      const number = next++;
      const record = {
        alcmeon__scoped_id__c: `main:${number}`,
        alcmeon__To_SF_Queue_Id__c: queue.records[0].Id,
        alcmeon__Status__c: 'Open',
        alcmeon__url__c: `https://alcmeon.example/${number}`,
        alcmeon__Social_media_type__c: 'whatsapp',
        alcmeon__Social_media_account__c: 'Acme page',
        alcmeon__User_name__c: number % 20 === 0 ? 'Bad Egg' : 'Jane Doe',
      };
      try {
        await org.sobject('alcmeon__Conversation__c').upsert(record, 'alcmeon__scoped_id__c');
      } catch (error) {
        if (error.name !== 'FIELD_CUSTOM_VALIDATION_EXCEPTION') throw error;
        refused += 1;
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker));
  const calls = count + 2;
  console.log(JSON.stringify({ seconds: (performance.now() - started) / 1000, calls, refused }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
