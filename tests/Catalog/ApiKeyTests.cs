using DataHub.Catalog;

namespace DataHub.Tests.Catalog;

public sealed class ApiKeyTests
{
    [Fact]
    public void A_new_key_is_read_back_with_agency_id_and_hash()
    {
        var made = ApiKey.Create("senumvk", out var text);

        Assert.Equal(ApiKeyFault.None, ApiKey.Parse(text, out var read));
        Assert.Equal(("senumvk", made.KeyId), (read.Agency, read.KeyId));
        Assert.Equal(made.Hash, read.Hash);
        Assert.Matches("^dh_[A-Za-z0-9._-]+$", text);
        Assert.True(text.Length <= ApiKey.MaxLength);
    }

    [Fact]
    public void Any_single_wrong_character_after_the_agency_is_a_typing_mistake()
    {
        ApiKey.Create("a", out var text);
        for (var i = "dh_a.".Length; i < text.Length; i++)
        {
            if (text[i] == '.') continue;
            var wrong = text[..i] + (text[i] == 'x' ? 'y' : 'x') + text[(i + 1)..];
            Assert.Equal(ApiKeyFault.Mistyped, ApiKey.Parse(wrong, out _));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("dh_")]
    [InlineData("dh_UPPER.12345678.x")]
    [InlineData("dh_a.b")]
    public void What_does_not_look_like_a_key_is_told_apart(string? text) => Assert.Equal(ApiKeyFault.NotAKey, ApiKey.Parse(text, out _));

    [Fact]
    public void A_key_cut_short_is_a_typing_mistake()
    {
        ApiKey.Create("agency-1", out var text);
        Assert.Equal(ApiKeyFault.Mistyped, ApiKey.Parse(text[..^1], out _));
        Assert.Equal(ApiKeyFault.Mistyped, ApiKey.Parse(text + "0", out _));
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("0-a", true)]
    [InlineData("-a", false)]
    [InlineData("A", false)]
    [InlineData("a_b", false)]
    [InlineData("", false)]
    [InlineData("ä", false)]
    public void Ids_are_lower_case_letters_digits_and_hyphens(string id, bool valid) => Assert.Equal(valid, CatalogIds.IsValid(id));
}
