export async function makeNets() {}
