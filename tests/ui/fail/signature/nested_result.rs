use portcullis::{AllowAny, Created, Result, StatusCode, consumer};

struct Shop;

#[consumer]
impl Shop {
    #[action(permission = AllowAny)]
    async fn price(&self) -> Result<Result<u8, String>> {
        Ok(Err("sold out".to_owned()))
    }

    #[action(permission = AllowAny)]
    async fn order(&self) -> Created<Result<u8, String>> {
        Created(Err("sold out".to_owned()))
    }

    #[action(permission = AllowAny)]
    async fn book(&self) -> Result<(std::result::Result<u8, String>, StatusCode)> {
        Ok((Err("sold out".to_owned()), StatusCode::ACCEPTED))
    }
}

fn main() {}
