// More distinct permissions than the maximum of 64 per expression.

use portcullis::consumer;

struct Chat;
struct Is(u8);

#[consumer(
    permission = Is(0) & Is(1) & Is(2) & Is(3) & Is(4) & Is(5) & Is(6) & Is(7) & Is(8) & Is(9) & Is(10) &
        Is(11) & Is(12) & Is(13) & Is(14) & Is(15) & Is(16) & Is(17) & Is(18) & Is(19) & Is(20) &
        Is(21) & Is(22) & Is(23) & Is(24) & Is(25) & Is(26) & Is(27) & Is(28) & Is(29) & Is(30) &
        Is(31) & Is(32) & Is(33) & Is(34) & Is(35) & Is(36) & Is(37) & Is(38) & Is(39) & Is(40) &
        Is(41) & Is(42) & Is(43) & Is(44) & Is(45) & Is(46) & Is(47) & Is(48) & Is(49) & Is(50) &
        Is(51) & Is(52) & Is(53) & Is(54) & Is(55) & Is(56) & Is(57) & Is(58) & Is(59) & Is(60) &
        Is(61) & Is(62) & Is(63) & Is(64)
)]
impl Chat {
    #[action]
    async fn ping(&self) {}
}

fn main() {}
