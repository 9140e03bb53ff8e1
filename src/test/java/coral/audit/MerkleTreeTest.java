package coral.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MerkleTreeTest {
  /** The leaves and roots of the reference implementation of RFC 6962, which RFC 9162 keeps. */
  private static final String[][] REFERENCE = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {
      "606162636465666768696a6b6c6d6e6f",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    },
  };

  @Test
  void itsRootsAreThoseOfTheReferenceImplementation() {
    MerkleTree tree = new MerkleTree();
    assertEquals("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", tree.root());
    for (String[] each : REFERENCE) {
      tree.add(HexFormat.of().parseHex(each[0]));
      assertEquals(each[1], tree.root());
    }
  }

  /** RFC 9162, section 2.1.1, word for word. */
  @Test
  void itsRootsAreThoseOfTheDefinition() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    MerkleTree tree = new MerkleTree();
    List<byte[]> leaves = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      byte[] leaf = new byte[random.nextInt(40)];
      random.nextBytes(leaf);
      leaves.add(leaf);
      tree.add(leaf);
      assertEquals(
          HexFormat.of().formatHex(definition(leaves)), tree.root(), "seed " + seed + " at " + i);
    }
  }

  private static byte[] definition(List<byte[]> leaves) {
    if (leaves.size() == 1) {
      return Sha256.of(new byte[] {0}, leaves.get(0));
    }
    int split = Integer.highestOneBit(leaves.size() - 1);
    return Sha256.of(
        new byte[] {1},
        definition(leaves.subList(0, split)),
        definition(leaves.subList(split, leaves.size())));
  }
}
