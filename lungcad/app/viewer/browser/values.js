// Hands one content to the viewers of the page, and takes it away when its element goes.
export default function ({ data, parentElement }) {
  const shared = sharedValues();
  if (!parentElement.lungcadId) {
    const facts = unpack(data);
    parentElement.lungcadId = facts.id;
    shared.byId.set(facts.id, facts);
    shared.users.set(facts.id, (shared.users.get(facts.id) ?? 0) + 1);
    shared.news.dispatchEvent(new Event("change"));
  }
  return () => setTimeout(() => { // see viewer.js
    const id = parentElement.lungcadId;
    if (parentElement.isConnected || !id) return;
    parentElement.lungcadId = null;
    const left = (shared.users.get(id) ?? 1) - 1;
    shared.users.set(id, left);
    if (left <= 0) {
      shared.users.delete(id);
      shared.byId.delete(id);
    }
  });
}
